//! The web panel as browsers get it: its pages are parsed, its headers read, its links followed.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

mod files;
mod fixture;
mod pages;
mod safety;
