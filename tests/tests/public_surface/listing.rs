//! The public items of a crate, as a program without bodies.

use std::collections::BTreeSet;

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::{
    Attribute, Block, Field, Fields, File, Ident, ImplItem, Item, ItemImpl, ItemMod, ItemTrait,
    TraitItem, Type, Visibility, parse_quote,
};

/// Attributes that users of an item must know; the others are of the crate's own.
const TOLD: [&str; 8] = [
    "cfg",
    "default",
    "deprecated",
    "derive",
    "from",
    "must_use",
    "non_exhaustive",
    "serde",
];

/// The listing of a crate.
pub(crate) fn of(mut file: File) -> String {
    let mut types = BTreeSet::new();
    collect_types(&file.items, &mut types);
    file.attrs.clear();
    file.items = public(file.items, &types);
    prettyplease::unparse(&file)
}

/// Names of the public types, whose trait implementations are public, too.
fn collect_types(items: &[Item], types: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Enum(item) if is_public(&item.vis) => drop(types.insert(item.ident.to_string())),
            Item::Struct(item) if is_public(&item.vis) => {
                types.insert(item.ident.to_string());
            }
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    collect_types(items, types);
                }
            }
            _ => {}
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn public(items: Vec<Item>, types: &BTreeSet<String>) -> Vec<Item> {
    let items = items.into_iter();
    items.filter_map(|item| reduced(item, types)).collect()
}

/// What is public of an item.
fn reduced(mut item: Item, types: &BTreeSet<String>) -> Option<Item> {
    match &mut item {
        Item::Const(item) if is_public(&item.vis) => keep_told(&mut item.attrs),
        Item::Type(item) if is_public(&item.vis) => keep_told(&mut item.attrs),
        Item::Use(item) if is_public(&item.vis) => keep_told(&mut item.attrs),
        Item::Enum(item) if is_public(&item.vis) => {
            keep_told(&mut item.attrs);
            for variant in &mut item.variants {
                keep_told(&mut variant.attrs);
                let fields = variant.fields.iter_mut();
                fields.for_each(|field| keep_told(&mut field.attrs));
            }
        }
        Item::Struct(item) if is_public(&item.vis) => {
            keep_told(&mut item.attrs);
            reduce_fields(&mut item.fields);
        }
        Item::Fn(item) if is_public(&item.vis) => {
            keep_told(&mut item.attrs);
            *item.block = no_body();
        }
        Item::Trait(item) if is_public(&item.vis) => reduce_trait(item),
        Item::Impl(item) => return reduced_impl(item, types).map(Item::Impl),
        Item::Mod(module) => reduce_module(module, types)?,
        Item::Macro(item) => {
            keep_told(&mut item.attrs);
            item.mac.tokens = without_documentation(std::mem::take(&mut item.mac.tokens));
        }
        _ => return None,
    }
    Some(item)
}

/// Nothing of a module that has no public items, or is for tests.
fn reduce_module(module: &mut ItemMod, types: &BTreeSet<String>) -> Option<()> {
    let is_test = module.attrs.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        is_cfg
            && attribute
                .parse_args::<Ident>()
                .is_ok_and(|name| name == "test")
    });
    keep_told(&mut module.attrs);
    let (_, items) = module.content.as_mut().filter(|_| !is_test)?;
    *items = public(std::mem::take(items), types);
    (!items.is_empty()).then_some(())
}

fn keep_told(attributes: &mut Vec<Attribute>) {
    let is_told = |attribute: &Attribute| TOLD.iter().any(|told| attribute.path().is_ident(told));
    attributes.retain(is_told);
}

fn no_body() -> Block {
    parse_quote!({})
}

/// Public fields, and whether there are others, which is seen where a value is made.
fn reduce_fields(fields: &mut Fields) {
    let is_private = |field: &Field| !is_public(&field.vis);
    let has_private = fields.iter().any(is_private);
    fields
        .iter_mut()
        .for_each(|field| keep_told(&mut field.attrs));
    match fields {
        Fields::Named(fields) => {
            let public = std::mem::take(&mut fields.named).into_iter();
            fields.named = public.filter(|field| !is_private(field)).collect();
            if has_private {
                fields.named.push(parse_quote!(private: _));
            }
        }
        Fields::Unnamed(_) if has_private => *fields = Fields::Unnamed(parse_quote!((_))),
        Fields::Unnamed(_) | Fields::Unit => {}
    }
}

fn reduce_trait(item: &mut ItemTrait) {
    keep_told(&mut item.attrs);
    for item in &mut item.items {
        match item {
            TraitItem::Const(item) => keep_told(&mut item.attrs),
            TraitItem::Type(item) => keep_told(&mut item.attrs),
            TraitItem::Fn(item) => {
                keep_told(&mut item.attrs);
                item.default = item.default.as_ref().map(|_| no_body());
            }
            _ => {}
        }
    }
}

/// The public methods, or the trait with its types and constants, of a public type.
fn reduced_impl(item: &ItemImpl, types: &BTreeSet<String>) -> Option<ItemImpl> {
    let of_trait = item.trait_.is_some();
    if !is_of(&item.self_ty, types) {
        return None;
    }
    let mut item = item.clone();
    keep_told(&mut item.attrs);
    let members = std::mem::take(&mut item.items).into_iter();
    item.items = members
        .filter_map(|member| reduced_member(member, of_trait))
        .collect();
    (of_trait || !item.items.is_empty()).then_some(item)
}

/// Whether the type is one of these.
fn is_of(of: &Type, types: &BTreeSet<String>) -> bool {
    let Type::Path(path) = of else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|last| types.contains(&last.ident.to_string()))
}

fn reduced_member(mut member: ImplItem, of_trait: bool) -> Option<ImplItem> {
    match &mut member {
        ImplItem::Const(item) if of_trait || is_public(&item.vis) => keep_told(&mut item.attrs),
        ImplItem::Type(item) if of_trait => keep_told(&mut item.attrs),
        ImplItem::Fn(item) if is_public(&item.vis) => {
            keep_told(&mut item.attrs);
            item.block = no_body();
        }
        ImplItem::Macro(item) => {
            item.mac.tokens = without_documentation(std::mem::take(&mut item.mac.tokens));
        }
        _ => return None,
    }
    Some(member)
}

/// The tokens of a macro without its `///` comments, which are attributes by now.
fn without_documentation(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if is_documentation(&group) => drop(kept.pop()),
            TokenTree::Group(group) => {
                let inner = without_documentation(group.stream());
                kept.push(Group::new(group.delimiter(), inner).into());
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

/// Whether it is what follows `#` in `#[doc = "…"]`.
fn is_documentation(group: &Group) -> bool {
    let mut tokens = group.stream().into_iter();
    matches!(
        (tokens.next(), tokens.next()),
        (Some(TokenTree::Ident(name)), Some(TokenTree::Punct(mark))) if name == "doc" && mark.as_char() == '='
    )
}
