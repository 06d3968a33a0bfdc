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

/// A release whose instances are built by a shell script instead of buildout, for scenarios where
/// only the outcome matters: it takes the place of the release's bin/buildout and runs in the
/// partition's directory, where `service NAME BODY` and `promise NAME BODY` write an executable.
pub fn shell_release(directory: &Path, name: &str, instance_script: &str) -> PathBuf {
    let script = directory.join(format!("{name}.sh"));
    let text = format!(
        "#!/bin/sh\nset -e\n\
         program() {{ mkdir -p \"etc/$1\"; printf '#!/bin/sh\\n%s\\n' \"$3\" > \"etc/$1/$2\"; chmod 700 \"etc/$1/$2\"; }}\n\
         service() {{ program service \"$1\" \"$2\"; }}\n\
         promise() {{ program promise \"$1\" \"$2\"; }}\n\
         {instance_script}\n"
    );
    fs::write(&script, text).expect("the test's directory is writable");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the script is ours");
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
