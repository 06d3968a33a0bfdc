//! Where everything lies on disk, under the two roots.

use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

/// The name of a release's directory: the MD5 of its URL, in hexadecimal.
pub(crate) fn release_name(url: &str) -> String {
    netcache::url_key(url)
}

/// The MD5 of bytes, in hexadecimal.
pub(crate) fn md5(bytes: &[u8]) -> String {
    let digest = Md5::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of one software release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReleaseLayout {
    directory: PathBuf,
}

impl ReleaseLayout {
    /// The place of the release of this URL.
    pub(crate) fn new(software_root: &Path, url: &str) -> Self {
        ReleaseLayout {
            directory: software_root.join(release_name(url)),
        }
    }

    /// The release's directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Exists once the installation has been reported; holds the local time of then.
    pub(crate) fn completed(&self) -> PathBuf {
        self.directory.join(".completed")
    }

    /// Exists while what was unpacked from an archive is whole, and not reported yet.
    pub(crate) fn unpacked(&self) -> PathBuf {
        self.directory.join(netcache::UNPACKED_MARK)
    }

    /// The profile that extends the release's URL. Written once, admins may change it.
    pub(crate) fn profile(&self) -> PathBuf {
        self.directory.join("buildout.cfg")
    }

    /// What buildout's bootstrap makes.
    pub(crate) fn buildout(&self) -> PathBuf {
        self.bin().join("buildout")
    }

    /// Programs of the release.
    pub(crate) fn bin(&self) -> PathBuf {
        self.directory.join("bin")
    }

    /// Exists while an installation runs that did not bootstrap again.
    pub(crate) fn bootstrap_skipped(&self) -> PathBuf {
        self.bin().join("buildout-bootstrap-skipped")
    }

    /// Where buildout keeps the profiles it has downloaded.
    pub(crate) fn extends_cache(&self) -> PathBuf {
        self.directory.join("extends-cache")
    }

    /// May hold the seconds after which instances are processed again.
    pub(crate) fn periodicity(&self) -> PathBuf {
        self.directory.join("periodicity")
    }

    /// The places of the instance profile, the preferred one first.
    pub(crate) fn instance_profiles(&self) -> [PathBuf; 2] {
        ["instance.cfg", "template.cfg"].map(|name| self.directory.join(name))
    }
}

/// Where the node keeps what the next run must know of the last one, below the instance root.
pub(crate) fn state_directory(instance_root: &Path) -> PathBuf {
    instance_root.join("var/slapgrid")
}

/// The files of one partition. The reference must have passed
/// [`slapos_fs::check_file_name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionLayout {
    reference: String,
    instance_root: PathBuf,
    directory: PathBuf,
}

impl PartitionLayout {
    /// The place of a partition.
    pub(crate) fn new(instance_root: &Path, reference: &str) -> Self {
        PartitionLayout {
            reference: reference.to_owned(),
            instance_root: instance_root.to_owned(),
            directory: instance_root.join(reference),
        }
    }

    /// Held locked while a run works on the partition.
    pub(crate) fn lock(&self) -> PathBuf {
        state_directory(&self.instance_root).join(format!("{}.lock", self.reference))
    }

    /// Exists from the moment at which what is in the partition is given up until it is gone.
    pub(crate) fn emptying(&self) -> PathBuf {
        state_directory(&self.instance_root).join(format!("{}.emptying", self.reference))
    }

    /// What the master calls the partition.
    pub(crate) fn reference(&self) -> &str {
        &self.reference
    }

    /// The partition's directory, made by slapformat.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where buildout puts the instance's programs.
    pub(crate) fn sbin(&self) -> PathBuf {
        self.directory.join("sbin")
    }

    /// A buildout of the partition's own.
    pub(crate) fn buildout(&self) -> PathBuf {
        self.sbin().join("buildout")
    }

    /// Run as the partition's user before the partition is emptied.
    pub(crate) fn destroy_program(&self) -> PathBuf {
        self.sbin().join("destroy")
    }

    /// Where the node puts its own usage reports about the partition; those of the instance are in
    /// `var/xml_report` of the partition.
    pub(crate) fn node_usage_directory(&self) -> PathBuf {
        self.instance_root
            .join("var/xml_report")
            .join(&self.reference)
    }

    /// The partition's certificate in the repository.
    pub(crate) fn certificate(&self, repository: &Path) -> PathBuf {
        repository.join(format!("{}.crt", self.reference))
    }

    /// The key of the partition's certificate in the repository.
    pub(crate) fn key(&self, repository: &Path) -> PathBuf {
        repository.join(format!("{}.key", self.reference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_lies_under_the_md5_of_its_url() {
        let release = ReleaseLayout::new(
            Path::new("/opt/slapgrid"),
            "http://example.org/software.cfg",
        );
        assert_eq!(
            release.directory(),
            Path::new("/opt/slapgrid/bc1395bc61d2561a166c18d50ca3964f")
        );
    }

    #[test]
    fn files_named_after_the_partition() {
        let partition = PartitionLayout::new(Path::new("/srv"), "slappart3");
        let names = [
            partition.lock(),
            partition.emptying(),
            partition.node_usage_directory(),
            partition.certificate(Path::new("/pki")),
        ];
        let expected = [
            "/srv/var/slapgrid/slappart3.lock",
            "/srv/var/slapgrid/slappart3.emptying",
            "/srv/var/xml_report/slappart3",
            "/pki/slappart3.crt",
        ];
        assert_eq!(names, expected.map(PathBuf::from));
    }
}
