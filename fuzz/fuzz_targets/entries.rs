#![no_main]

#[path = "../checks/entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entries::check(data));
