//! Where everything lies on disk, under the two roots.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

/// The name of a release's directory: the MD5 of its URL, in hexadecimal.
pub fn release_name(url: &str) -> String {
    netcache::url_key(url)
}

/// The MD5 of bytes, in hexadecimal.
pub(crate) fn md5(bytes: &[u8]) -> String {
    let digest = Md5::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of one software release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseLayout {
    directory: PathBuf,
}

impl ReleaseLayout {
    /// The place of the release of this URL.
    pub fn new(software_root: &Path, url: &str) -> Self {
        ReleaseLayout {
            directory: software_root.join(release_name(url)),
        }
    }

    /// The release's directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Exists once the installation has been reported; holds the local time of then.
    pub fn completed(&self) -> PathBuf {
        self.directory.join(".completed")
    }

    /// The profile that extends the release's URL. Written once, admins may change it.
    pub fn profile(&self) -> PathBuf {
        self.directory.join("buildout.cfg")
    }

    /// What buildout's bootstrap makes.
    pub fn buildout(&self) -> PathBuf {
        self.bin().join("buildout")
    }

    /// Programs of the release.
    pub fn bin(&self) -> PathBuf {
        self.directory.join("bin")
    }

    /// Exists while an installation runs that did not bootstrap again.
    pub fn bootstrap_skipped(&self) -> PathBuf {
        self.bin().join("buildout-bootstrap-skipped")
    }

    /// Where buildout keeps the profiles it has downloaded.
    pub fn extends_cache(&self) -> PathBuf {
        self.directory.join("extends-cache")
    }

    /// May hold the seconds after which instances are processed again.
    pub fn periodicity(&self) -> PathBuf {
        self.directory.join("periodicity")
    }

    /// The places of the instance profile, the preferred one first.
    pub fn instance_profiles(&self) -> [PathBuf; 2] {
        ["instance.cfg", "template.cfg"].map(|name| self.directory.join(name))
    }
}

/// Where the node keeps what the next run must know of the last one, below the instance root.
pub fn state_directory(instance_root: &Path) -> PathBuf {
    instance_root.join("var/slapgrid")
}

/// The files of one partition. The reference must have passed
/// [`slapos_fs::check_file_name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionLayout {
    reference: String,
    instance_root: PathBuf,
    directory: PathBuf,
}

impl PartitionLayout {
    /// The place of a partition.
    pub fn new(instance_root: &Path, reference: &str) -> Self {
        PartitionLayout {
            reference: reference.to_owned(),
            instance_root: instance_root.to_owned(),
            directory: instance_root.join(reference),
        }
    }

    /// Held locked while a run works on the partition.
    pub fn lock(&self) -> PathBuf {
        state_directory(&self.instance_root).join(format!("{}.lock", self.reference))
    }

    /// Exists from the moment at which what is in the partition is given up until it is gone.
    pub fn emptying(&self) -> PathBuf {
        state_directory(&self.instance_root).join(format!("{}.emptying", self.reference))
    }

    /// What the master calls the partition.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The partition's directory, made by slapformat.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The instance profile with our tail.
    pub fn profile(&self) -> PathBuf {
        self.directory.join("buildout.cfg")
    }

    /// Link to the directory of the software release.
    pub fn software_release(&self) -> PathBuf {
        self.directory.join("software_release")
    }

    /// Where buildout puts the instance's programs.
    pub fn sbin(&self) -> PathBuf {
        self.directory.join("sbin")
    }

    /// A buildout of the partition's own.
    pub fn buildout(&self) -> PathBuf {
        self.sbin().join("buildout")
    }

    /// Run as the partition's user before the partition is emptied.
    pub fn destroy_program(&self) -> PathBuf {
        self.sbin().join("destroy")
    }

    /// Programs that supervisord runs.
    pub fn run_directory(&self) -> PathBuf {
        self.directory.join("etc/run")
    }

    /// Programs that supervisord runs and the watchdog watches.
    pub fn service_directory(&self) -> PathBuf {
        self.directory.join("etc/service")
    }

    /// Executables that tell whether the instance is healthy.
    pub fn promise_directory(&self) -> PathBuf {
        self.directory.join("etc/promise")
    }

    /// Python promises.
    pub fn plugin_directory(&self) -> PathBuf {
        self.directory.join("etc/plugin")
    }

    /// Programs that write usage reports.
    pub fn report_directory(&self) -> PathBuf {
        self.directory.join("etc/report")
    }

    /// Where the node puts its own usage reports about the partition; those of the instance are in
    /// `var/xml_report` of the partition.
    pub fn node_usage_directory(&self) -> PathBuf {
        self.instance_root
            .join("var/xml_report")
            .join(&self.reference)
    }

    /// Text of the master's timestamp at the last success.
    pub fn timestamp(&self) -> PathBuf {
        self.directory.join(".timestamp")
    }

    /// State of the node about the partition: logs, results of promises.
    pub fn state_directory(&self) -> PathBuf {
        self.directory.join(".slapgrid")
    }

    /// What happened to the instance, for its user.
    pub fn instance_log(&self) -> PathBuf {
        self.directory.join(".slapgrid/log/instance.log")
    }

    /// What is kept of each promise: `result`, `log` and `cache` are in it.
    pub fn promise_state_directory(&self) -> PathBuf {
        self.directory.join(".slapgrid/promise")
    }

    /// The last error of the installation.
    pub fn error_log(&self) -> PathBuf {
        self.own_file(".slapgrid-", "-error.log")
    }

    /// References of the instances that were requested by the last run of buildout.
    pub fn request_transaction(&self) -> PathBuf {
        self.own_file(".slapos-request-transaction-", "")
    }

    /// What slapformat says of the partition.
    pub fn resource(&self) -> PathBuf {
        self.directory.join(".slapos-resource")
    }

    /// Days that the partition is kept after its destruction was asked for.
    pub fn retention_lock_delay(&self) -> PathBuf {
        self.directory.join(".slapos-retention-lock-delay")
    }

    /// Unix time before which the partition is not destroyed.
    pub fn retention_lock_date(&self) -> PathBuf {
        self.directory.join(".slapos-retention-lock-date")
    }

    /// Names of the programs that destruction waits for.
    pub fn report_wait_list(&self) -> PathBuf {
        self.directory.join(".slapos-report-wait-service-list")
    }

    /// Written by the watchdog when it bangs.
    pub fn latest_bang(&self) -> PathBuf {
        self.directory.join(".slapos_latest_bang_timestamp")
    }

    /// Output of a service.
    pub fn service_log(&self, program: &str) -> PathBuf {
        self.directory
            .join(format!(".{}_{program}.log", self.reference))
    }

    /// The partition's certificate in the repository.
    pub fn certificate(&self, repository: &Path) -> PathBuf {
        repository.join(format!("{}.crt", self.reference))
    }

    /// The key of the partition's certificate in the repository.
    pub fn key(&self, repository: &Path) -> PathBuf {
        repository.join(format!("{}.key", self.reference))
    }

    fn own_file(&self, prefix: &str, suffix: &str) -> PathBuf {
        let mut name = OsString::from(prefix);
        name.push(&self.reference);
        name.push(suffix);
        self.directory.join(name)
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
            partition.error_log(),
            partition.request_transaction(),
            partition.service_log("httpd"),
            partition.certificate(Path::new("/pki")),
        ];
        let expected = [
            "/srv/slappart3/.slapgrid-slappart3-error.log",
            "/srv/slappart3/.slapos-request-transaction-slappart3",
            "/srv/slappart3/.slappart3_httpd.log",
            "/pki/slappart3.crt",
        ];
        assert_eq!(names, expected.map(PathBuf::from));
    }
}
