//! The machine and its distribution, in the words of the binary cache.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::Path;

/// Largest os-release file that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// A distribution, as entries name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its name, e.g. `debian`.
    pub name: String,
    /// Its version, e.g. `12`.
    pub version: String,
    /// The name of the version, often empty.
    pub codename: String,
}

impl Distribution {
    /// Whether what was built on one runs on the other. Raspbian is Debian, and releases of the same
    /// major version of Debian are the same; its codename was not always known.
    pub fn matches(&self, other: &Self) -> bool {
        self.comparable() == other.comparable()
    }

    fn comparable(&self) -> (String, &str, &str) {
        match self.name.to_lowercase().as_str() {
            "debian" | "raspbian" => {
                let major = self.version.split('.').next().unwrap_or_default();
                ("debian".to_owned(), major, "")
            }
            name => (name.to_owned(), &self.version, &self.codename),
        }
    }

    /// The text of a Python tuple, as older entries have it.
    pub(crate) fn tuple(&self) -> String {
        let [name, version, codename] =
            [&self.name, &self.version, &self.codename].map(|text| text.replace('\'', ""));
        format!("('{name}', '{version}', '{codename}')")
    }

    /// Reads what [`Distribution::tuple`] writes, as Python does: any quotes, and prefixes of text.
    pub(crate) fn from_tuple(text: &str) -> Option<Self> {
        let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
        let mut items = inner.split(',').map(|item| {
            let item = item.trim().trim_start_matches(['u', 'b']);
            let quote = item.chars().next().filter(|first| "'\"".contains(*first))?;
            item.strip_prefix(quote)?.strip_suffix(quote)
        });
        let [name, version, codename] =
            [items.next()??, items.next()??, items.next()??].map(str::to_owned);
        items.next().is_none().then_some(Self {
            name,
            version,
            codename,
        })
    }

    /// What `/etc/os-release` and its like say of the system below a directory.
    fn of_system(root: &Path) -> Self {
        let files = ["etc/os-release", "usr/lib/os-release"].map(|path| root.join(path));
        let text = files.iter().find_map(|path| read(path)).unwrap_or_default();
        Self::from_os_release(&text)
    }

    fn from_os_release(text: &str) -> Self {
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.trim().split_once('='));
            lines
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value.trim_matches(['"', '\'']).to_owned())
        };
        let name = value("ID").unwrap_or_default().to_lowercase();
        let name = match name.replace(' ', "_").as_str() {
            "opensuse-leap" => "opensuse".to_owned(),
            "ol" => "oracle".to_owned(),
            name => name.to_owned(),
        };
        let codename = value("VERSION_CODENAME")
            .or_else(|| value("UBUNTU_CODENAME"))
            .or_else(|| in_brackets(&value("VERSION")?));
        Self {
            name,
            version: value("VERSION_ID").unwrap_or_default(),
            codename: codename.unwrap_or_default(),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tuple())
    }
}

fn in_brackets(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('(')?;
    Some(rest.split_once(')')?.0.to_owned())
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// What an archive must have been built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// As `uname -m` says.
    pub machine: String,
    /// As `gcc -dumpmachine` says.
    pub multiarch: String,
    /// The distribution.
    pub distribution: Distribution,
}

impl Platform {
    /// The one of this machine.
    pub fn detect() -> Self {
        let machine = nix::sys::utsname::uname().map(|name| name.machine().to_owned());
        let machine = machine.ok().and_then(|machine| machine.into_string().ok());
        let machine = machine.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        Self::new(&machine, Distribution::of_system(Path::new("/")))
    }

    fn new(machine: &str, distribution: Distribution) -> Self {
        let (processor, system) = match (machine, distribution.name.as_str()) {
            (machine, "fedora" | "rhel" | "centos") => (machine, "redhat-linux"),
            (machine, "opensuse" | "opensuse-tumbleweed" | "sles") => (machine, "suse-linux"),
            ("armv7l", _) => ("arm", "linux-gnueabihf"),
            ("ppc64le", _) => ("powerpc64le", "linux-gnu"),
            (machine, _) => (machine, "linux-gnu"),
        };
        Self {
            multiarch: format!("{processor}-{system}"),
            machine: machine.to_owned(),
            distribution,
        }
    }

    /// Whether all versions of the node software take the older form of entries here, where the
    /// machine is all that is said.
    pub(crate) fn is_classic(&self) -> bool {
        self.multiarch == "x86_64-linux-gnu"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(name: &str, version: &str, codename: &str) -> Distribution {
        let [name, version, codename] = [name, version, codename].map(str::to_owned);
        Distribution {
            name,
            version,
            codename,
        }
    }

    #[test]
    fn distributions_are_named_as_python_names_them() {
        // What the Python package distro 1.9 says of these files.
        let table = [
            (
                "ID=debian\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\n",
                ["debian", "12", "bookworm"],
            ),
            (
                "VERSION_ID=\"22.04\"\nVERSION=\"22.04.3 LTS (Jammy Jellyfish)\"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=jammy\n",
                ["ubuntu", "22.04", "jammy"],
            ),
            (
                "VERSION=\"38 (Thirty Eight)\"\nID=fedora\nVERSION_ID=38\nVERSION_CODENAME=\"\"\n",
                ["fedora", "38", ""],
            ),
            (
                "ID=\"opensuse-leap\"\nVERSION=\"15.5\"\nVERSION_ID=\"15.5\"\n",
                ["opensuse", "15.5", ""],
            ),
            (
                "# VERSION=\"20230830\"\nID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20230830\"\n",
                ["opensuse-tumbleweed", "20230830", ""],
            ),
            (
                "ID=ubuntu\nVERSION_ID='24.04'\nVERSION='24.04 LTS (Noble)'\n",
                ["ubuntu", "24.04", "Noble"],
            ),
            ("", ["", "", ""]),
        ];
        for (text, [name, version, codename]) in table {
            let expected = distribution(name, version, codename);
            assert_eq!(Distribution::from_os_release(text), expected, "{text}");
        }
    }

    #[test]
    fn tuples_are_read_as_python_reads_them() {
        let expected = Some(distribution("debian", "12", ""));
        for text in [
            "('debian', '12', '')",
            "(\"debian\",\"12\",\"\")",
            "(u'debian', u'12', u'')",
        ] {
            assert_eq!(Distribution::from_tuple(text), expected, "{text}");
        }
        for text in [
            "",
            "()",
            "('a', 'b')",
            "('a', 'b', 'c', 'd')",
            "['a', 'b', 'c']",
            "(a, b, c)",
            "('a', 'b', ')",
            "('a', 'b', 'c\")",
        ] {
            assert_eq!(Distribution::from_tuple(text), None, "{text}");
        }
        let ours = distribution("ubuntu", "22.04", "jammy");
        assert_eq!(Distribution::from_tuple(&ours.tuple()), Some(ours));
    }

    #[test]
    fn minor_releases_of_debian_are_the_same_and_of_others_not() {
        let debian = distribution("debian", "12.5", "");
        assert!(debian.matches(&distribution("Debian", "12", "bookworm")));
        assert!(debian.matches(&distribution("raspbian", "12", "")));
        assert!(!debian.matches(&distribution("debian", "11", "")));
        let ubuntu = distribution("ubuntu", "22.04", "jammy");
        assert!(ubuntu.matches(&distribution("Ubuntu", "22.04", "jammy")));
        assert!(!ubuntu.matches(&distribution("ubuntu", "22.10", "jammy")));
        assert!(!ubuntu.matches(&distribution("ubuntu", "22.04", "")));
    }
}
