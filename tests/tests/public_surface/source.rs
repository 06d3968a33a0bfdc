//! The source of a crate as one tree.

use std::fs;
use std::path::{Path, PathBuf};

use syn::{File, Item, ItemMod};

/// The crate whose root this is, the modules of other files put in their places.
pub(crate) fn read(root: &Path) -> File {
    let mut file = parse(root);
    let directory = root.parent().expect("a file is in a directory");
    inline(&mut file.items, directory);
    file
}

fn parse(path: &Path) -> File {
    let shown = path.display();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{shown}: {error}"));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{shown}: {error}"))
}

/// Reads the modules that are files below a directory.
fn inline(items: &mut [Item], directory: &Path) {
    for item in items {
        if let Item::Mod(module) = item {
            let below = directory.join(module.ident.to_string());
            if module.content.is_none() {
                let file = parse(&file_of(module, directory));
                module.content = Some((syn::token::Brace::default(), file.items));
            }
            if let Some((_, items)) = &mut module.content {
                inline(items, &below);
            }
        }
    }
}

fn file_of(module: &ItemMod, directory: &Path) -> PathBuf {
    let beside = directory.join(format!("{}.rs", module.ident));
    if beside.exists() {
        beside
    } else {
        directory.join(module.ident.to_string()).join("mod.rs")
    }
}
