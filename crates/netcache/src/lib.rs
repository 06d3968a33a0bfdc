//! Binary cache of software releases (shacache and shadir).
