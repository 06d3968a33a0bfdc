//! Software releases for the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::places;

/// The release of `examples/hello`, built by the real buildout from packages on disk.
pub fn offline_hello(directory: &Path) -> PathBuf {
    let hello = directory.join("hello.cfg");
    fs::copy(
        places::workspace().join("examples/hello/software.cfg"),
        &hello,
    )
    .expect("examples/hello is readable");
    let wheels = places::wheels();
    let profile = format!(
        "[buildout]\nextends = {}\nfind-links = {}\nindex = file://{}/\n",
        hello.display(),
        wheels.display(),
        wheels.display()
    );
    let path = directory.join("offline-hello.cfg");
    fs::write(&path, profile).expect("the test's directory is writable");
    path
}

/// A shell script that builds an instance instead of buildout, for scenarios where only the outcome
/// matters. It runs in the partition's directory, where `program PLACE NAME BODY` writes an executable
/// into `etc/PLACE`; `service NAME BODY` and `promise NAME BODY` are short for the usual places.
pub fn instance_script(body: &str) -> String {
    format!(
        "#!/bin/sh\nset -e\n\
         program() {{ mkdir -p \"etc/$1\"; printf '#!/bin/sh\\n%s\\n' \"$3\" > \"etc/$1/$2\"; chmod 700 \"etc/$1/$2\"; }}\n\
         service() {{ program service \"$1\" \"$2\"; }}\n\
         promise() {{ program promise \"$1\" \"$2\"; }}\n\
         {body}\n"
    )
}

/// Writes a program.
pub fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
}

/// A release whose bin/buildout is an [`instance_script`], made by slapgrid-sr and the real buildout.
pub fn shell_release(directory: &Path, name: &str, body: &str) -> PathBuf {
    let script = directory.join(format!("{name}.sh"));
    write_program(&script, &instance_script(body));
    let profile = format!(
        "[buildout]\nparts = files\n\n\
         [files]\nrecipe = slapos.recipe.build\nupdate =\n  \
         import os, shutil\n  \
         directory = self.buildout['buildout']['directory']\n  \
         open(os.path.join(directory, 'instance.cfg'), 'w').close()\n  \
         shutil.copy('{}', os.path.join(directory, 'bin', 'buildout'))\n",
        script.display()
    );
    let path = directory.join(format!("{name}.cfg"));
    fs::write(&path, profile).expect("the test's directory is writable");
    path
}
