//! A package for systems has metadata only.
