//! A software release as buildout leaves them, made up: many small Python files and what Python
//! compiles of them, few large libraries, and some files that are compressed already.

use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result};

/// Files that lie in a directory together.
const TOGETHER: usize = 40;
/// Different words of the texts.
const WORDS: u64 = 3000;
/// Different instructions of the libraries.
const INSTRUCTIONS: u64 = 6000;
/// Bytes of a file on average, by the shares and sizes of [`KINDS`].
const AVERAGE: u64 = 24_600;
/// Of a hundred files, how many are of a kind, and how large these are on average.
const KINDS: [(u64, u64, Kind); 5] = [
    (55, 9_000, Kind::Source),
    (30, 8_000, Kind::Bytecode),
    (8, 3_000, Kind::Source),
    (5, 300_000, Kind::Library),
    (2, 100_000, Kind::Compressed),
];

#[derive(Clone, Copy)]
enum Kind {
    Source,
    Bytecode,
    Library,
    Compressed,
}

/// Makes a release of so many files, of about so many bytes; it is the same each time.
pub(super) fn make(directory: &Path, files: usize, bytes: u64) -> Result<()> {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    let scale = bytes as f64 / (files as u64 * AVERAGE) as f64;
    for number in 0..files {
        let (size, kind) = choose(&mut chance);
        // Between nothing and thrice the average, small ones more often.
        let portion = chance.portion();
        let size = (size as f64 * scale * 3.0 * portion * portion) as u64;
        let parent = directory.join(parent(number / TOGETHER));
        if number % TOGETHER == 0 {
            fs::create_dir_all(&parent).context("cannot make a directory")?;
        }
        let path = parent.join(format!("{}{number}.{}", name(&mut chance), suffix(kind)));
        write(&path, kind, size, &mut chance)
            .with_context(|| format!("cannot write {}", path.display()))?;
        if number % 50 == 0 {
            let target = path.file_name().unwrap_or_default();
            symlink(target, path.with_extension("link")).context("cannot make a link")?;
        }
    }
    Ok(())
}

fn choose(chance: &mut Chance) -> (u64, Kind) {
    let mut drawn = chance.below(100);
    for (share, size, kind) in KINDS {
        if drawn < share {
            return (size, kind);
        }
        drawn -= share;
    }
    (AVERAGE, Kind::Source)
}

fn parent(number: usize) -> String {
    format!("eggs/package{}/part{}", number / 6, number % 6)
}

fn name(chance: &mut Chance) -> String {
    word(chance.below(WORDS))
}

fn suffix(kind: Kind) -> &'static str {
    match kind {
        Kind::Source => "py",
        Kind::Bytecode => "pyc",
        Kind::Library => "so",
        Kind::Compressed => "zip",
    }
}

fn write(path: &Path, kind: Kind, size: u64, chance: &mut Chance) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut left = size;
    while left > 0 {
        let piece = match kind {
            Kind::Source => line(chance),
            Kind::Bytecode => constant(chance),
            Kind::Library => code(chance),
            Kind::Compressed => chance.next().to_le_bytes().to_vec(),
        };
        let length = left.min(piece.len() as u64);
        file.write_all(&piece[..usize::try_from(length)?])?;
        left -= length;
    }
    if matches!(kind, Kind::Library) {
        file.get_ref()
            .set_permissions(Permissions::from_mode(0o755))?;
    }
    Ok(file.flush()?)
}

/// A line of a program.
fn line(chance: &mut Chance) -> Vec<u8> {
    let mut line = " ".repeat(4 * usize::try_from(chance.below(4)).unwrap_or(0));
    for _ in 0..3 + chance.below(6) {
        line += &word(chance.often_small(WORDS));
        line += [" ", ".", ", ", "(", ") ", " = "][usize::try_from(chance.below(6)).unwrap_or(0)];
    }
    line.push('\n');
    line.into_bytes()
}

/// The same number makes the same word.
fn word(number: u64) -> String {
    let mut chance = Chance(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let syllables = [
        "re", "con", "ta", "ning", "pro", "se", "lf", "im", "port", "de",
    ];
    let length = 1 + chance.below(4);
    let drawn = (0..length).map(|_| syllables[usize::try_from(chance.below(10)).unwrap_or(0)]);
    drawn.collect()
}

/// A name, or numbers that are all different.
fn constant(chance: &mut Chance) -> Vec<u8> {
    match chance.below(3) {
        0 => chance.next().to_le_bytes()[..3].to_vec(),
        1 => word(chance.often_small(WORDS)).into_bytes(),
        _ => vec![
            100,
            0,
            u8::try_from(chance.often_small(60)).unwrap_or(0),
            0,
            83,
        ],
    }
}

/// Something that compilers repeat with another address in it, or an instruction of its own.
fn code(chance: &mut Chance) -> Vec<u8> {
    if chance.below(4) == 0 {
        return instruction(chance);
    }
    let mut same = Chance(
        chance
            .often_small(INSTRUCTIONS)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            | 1,
    );
    let mut code: Vec<u8> = (0..3).flat_map(|_| same.next().to_le_bytes()).collect();
    code.truncate(12 + usize::try_from(same.below(12)).unwrap_or(0));
    code.push(u8::try_from(chance.below(256)).unwrap_or(0));
    code
}

/// Few operations come often, with other operands each time.
fn instruction(chance: &mut Chance) -> Vec<u8> {
    let operation = chance
        .often_small(INSTRUCTIONS)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let length = 2 + usize::try_from(operation % 5).unwrap_or(0);
    let mut instruction = operation.to_le_bytes()[2..2 + length].to_vec();
    if operation.is_multiple_of(7) {
        instruction.push(u8::try_from(chance.below(256)).unwrap_or(0));
    }
    instruction
}

/// Numbers that look drawn by lot, the same each time: Marsaglia's xorshift.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    /// From 0 to 1.
    fn portion(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn often_small(&mut self, end: u64) -> u64 {
        let portion = self.portion();
        (portion.powi(4) * end as f64) as u64
    }
}
