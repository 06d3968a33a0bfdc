//! Files as the node's tools write them: replaced atomically, never through a symbolic link.
//!
//! Partition directories belong to their users, who may put a link anywhere at any time. So
//! everything here is relative to an open directory or replaces a name as a whole.

mod directory;
mod follow;
mod lock;
mod name;
mod new_file;
mod remove;
mod step;
mod write;

pub use directory::{DirectoryError, ensure_directory};
pub use follow::{FollowError, follow_trusted};
pub use lock::{PidFile, PidFileError};
pub use name::{InvalidFileName, check_file_name};
pub use new_file::{NewFile, remove_abandoned, remove_unfinished};
pub use remove::{RemoveError, clear_directory, remove_file, remove_tree};
pub use step::step;
pub use write::{
    FileAttributes, Owner, ReadError, WriteError, open_regular, read_bounded, read_bounded_of,
    write_file, write_if_changed, write_new_file,
};
