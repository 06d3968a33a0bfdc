//! slapos.cfg: Python ConfigParser semantics, typed look-ups, errors that name section and key.
