//! Files of `public_directory_path`, which may be anything: browsers save them and never show
//! them, and no name leads out of the directory.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use axum::body::Body;
use axum::extract::{self, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mime_guess::{Mime, mime};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tower_http::services::ServeFile;

use crate::http::Shared;
use crate::storage::Storage;

/// One of the files, or the part of it that is asked for.
pub(super) async fn serve<S: Storage>(
    State(master): State<Shared<S>>,
    extract::Path(path): extract::Path<String>,
    request: Request,
) -> Response {
    let Some(directory) = master.settings.public_directory.clone() else {
        // Not 404: a person shall learn that there is something to configure.
        let text = "public_directory_path is not configured\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    };
    let name = path.clone();
    let opened = tokio::task::spawn_blocking(move || open_below(&directory, &name)).await;
    let answer = match opened.map_err(io::Error::other).flatten() {
        Ok(Some(file)) => send(&path, &file, request).await,
        Ok(None) => return (StatusCode::NOT_FOUND, "there is no such file\n").into_response(),
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| {
        log::error!("public file {path}: {error}");
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the file cannot be read\n",
        )
            .into_response()
    })
}

/// Opens a regular file below a directory; symbolic links count as long as they stay below.
fn open_below(directory: &Path, name: &str) -> io::Result<Option<File>> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let root = open(directory, flags, Mode::empty())?;
    let how = OpenHow::new()
        // A pipe must not make us wait for its other end.
        .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = match openat2(root, name, how) {
        Ok(file) => File::from(file),
        Err(errno) if is_absent(errno) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Whether nothing that may be served has that name. A name that leads out is EXDEV, one with a
/// zero byte EINVAL.
fn is_absent(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ENOENT
            | Errno::ENOTDIR
            | Errno::ELOOP
            | Errno::EXDEV
            | Errno::ENAMETOOLONG
            | Errno::EINVAL
    )
}

/// Answers with an open file. It is reached by its descriptor, which no rename can turn elsewhere.
async fn send(path: &str, file: &File, request: Request) -> io::Result<Response> {
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut service = ServeFile::new_with_mime(descriptor, &kind(path));
    let answer = service.try_call(request).await?;
    let mut answer = answer.map(Body::new);
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let disposition = HeaderValue::try_from(format!("attachment; filename*=UTF-8''{name}"));
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_DISPOSITION,
        disposition.map_err(io::Error::other)?,
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(answer)
}

/// The media type that the name tells.
fn kind(path: &str) -> Mime {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let with_charset = format!("{kind}; charset=utf-8");
    match kind.type_() {
        mime::TEXT => with_charset.parse().unwrap_or(kind),
        _ => kind,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn content(directory: &Path, name: &str) -> Option<String> {
        let mut file = open_below(directory, name).unwrap()?;
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        Some(text)
    }

    #[test]
    fn regular_files_below_are_found_and_nothing_else() {
        let outer = tempfile::tempdir().unwrap();
        let directory = outer.path().join("public");
        std::fs::create_dir_all(directory.join("sub")).unwrap();
        std::fs::write(outer.path().join("secret"), "secret").unwrap();
        std::fs::write(directory.join("sub/file.json"), "{}").unwrap();
        symlink("sub/file.json", directory.join("inner")).unwrap();
        symlink("../secret", directory.join("outer")).unwrap();
        symlink(outer.path(), directory.join("parent")).unwrap();
        symlink("loop", directory.join("loop")).unwrap();
        symlink("/proc/self/exe", directory.join("magic")).unwrap();
        nix::unistd::mkfifo(&directory.join("pipe"), Mode::S_IRWXU).unwrap();

        assert_eq!(content(&directory, "sub/file.json").as_deref(), Some("{}"));
        assert_eq!(content(&directory, "inner").as_deref(), Some("{}"));
        assert_eq!(content(&directory, "sub/../inner").as_deref(), Some("{}"));
        let absolute = outer.path().join("secret");
        let long = "x".repeat(5000);
        let absent = [
            "outer",
            "parent/secret",
            "../secret",
            "sub/../../secret",
            absolute.to_str().unwrap(),
            "loop",
            "magic",
            "pipe",
            "sub",
            "sub/",
            ".",
            "sub/file.json/",
            "none",
            "a\0b",
            &long,
        ];
        for name in absent {
            assert_eq!(content(&directory, name), None, "{name:?}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_a_failure() {
        assert!(open_below(Path::new("/no/such/directory"), "a").is_err());
    }

    #[test]
    fn names_tell_media_types() {
        assert_eq!(kind("a/b.json"), "application/json");
        assert_eq!(kind("b.html"), "text/html; charset=utf-8");
        assert_eq!(kind("b"), "application/octet-stream");
    }
}
