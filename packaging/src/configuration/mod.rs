//! Every parameter of slapos.cfg: what it means, its default, and which tools read it.

mod definition;
mod multimaster;
mod networkcache;
mod slapconsole;
mod slapformat;
mod slapos;
mod slapproxy;

/// A section of slapos.cfg, or of another file in its format.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its name, where `URL` and `N` stand for something else.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its parameters.
    pub keys: &'static [Key],
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written in the examples; `-` and `_` are the same.
    pub name: &'static str,
    /// What holds without it.
    pub default: Fallback,
    /// Who reads it; `slapgrid` stands for all four tools of that family.
    pub tools: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
}

/// What holds where a parameter is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// The tools do not work without it.
    Required,
    /// Nothing: what it is for is not done.
    Unset,
    /// This value.
    Value(&'static str),
    /// This, which is described.
    Described(&'static str),
}

const fn key(
    name: &'static str,
    default: Fallback,
    tools: &'static [&'static str],
    meaning: &'static str,
) -> Key {
    Key {
        name,
        default,
        tools,
        meaning,
    }
}

/// The sections of slapos.cfg.
pub const SECTIONS: &[Section] = &[
    slapos::SECTION,
    slapformat::SECTION,
    slapproxy::SECTION,
    multimaster::SECTION,
    slapconsole::SECTION,
    networkcache::SECTION,
];

/// The sections of slapformat's definition files.
pub const DEFINITION_SECTIONS: &[Section] = &[definition::COMPUTER, definition::PARTITION];

#[cfg(test)]
mod tests;
