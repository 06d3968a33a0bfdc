//! Certificates, made by openssl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

/// A certificate authority with its files in a directory.
#[derive(Debug)]
pub struct Authority {
    directory: PathBuf,
    name: &'static str,
}

/// A certificate and its key, PEM files.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Authority {
    /// A new authority.
    pub fn new(directory: &Path, name: &'static str) -> Self {
        let authority = Self {
            directory: directory.to_owned(),
            name,
        };
        let Certificate { certificate, key } = authority.files(name);
        openssl(
            Command::new("openssl")
                .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "30"])
                .args(["-pkeyopt", "ec_paramgen_curve:P-256"])
                .args(["-subj", &format!("/CN={name}")])
                .arg("-keyout")
                .arg(key)
                .arg("-out")
                .arg(certificate),
        );
        authority
    }

    /// Its own certificate.
    pub fn certificate(&self) -> PathBuf {
        self.files(self.name).certificate
    }

    /// A certificate for 127.0.0.1, or of a client, with this subject as openssl writes it:
    /// `/CN=name`. `file` names its files.
    pub fn issue(&self, file: &str, subject: &str, days: i32) -> Certificate {
        let issued = self.files(file);
        let own = self.files(self.name);
        let request = self.directory.join(format!("{file}.csr"));
        let extensions = self.directory.join("extensions");
        fs::write(&extensions, "subjectAltName=IP:127.0.0.1\n").expect("a file is writable");
        openssl(
            Command::new("openssl")
                .args(["req", "-new", "-newkey", "ec", "-nodes", "-subj", subject])
                .args(["-pkeyopt", "ec_paramgen_curve:P-256"])
                .arg("-keyout")
                .arg(&issued.key)
                .arg("-out")
                .arg(&request),
        );
        let mut sign = Command::new("openssl");
        sign.args([
            "x509",
            "-req",
            "-CAcreateserial",
            "-days",
            &days.to_string(),
        ]);
        for (option, path) in [
            ("-in", &request),
            ("-CA", &own.certificate),
            ("-CAkey", &own.key),
            ("-extfile", &extensions),
            ("-out", &issued.certificate),
        ] {
            sign.arg(option).arg(path);
        }
        openssl(&mut sign);
        issued
    }

    /// A list that revokes these certificates, in the place of the one before.
    pub fn revoke(&self, revoked: &[&Certificate]) -> PathBuf {
        self.revoke_until(revoked, &["-crldays", "30"])
    }

    /// The same, but that the next list should have been there years ago.
    pub fn revoke_long_ago(&self, revoked: &[&Certificate]) -> PathBuf {
        let dates = [
            "-crl_lastupdate",
            "20200101000000Z",
            "-crl_nextupdate",
            "20200201000000Z",
        ];
        self.revoke_until(revoked, &dates)
    }

    fn revoke_until(&self, revoked: &[&Certificate], dates: &[&str]) -> PathBuf {
        let place = |name: &str| self.directory.join(name);
        let database = place("index.txt");
        fs::write(&database, "").expect("a file is writable");
        fs::write(place("crlnumber"), "01\n").expect("a file is writable");
        let settings = format!(
            "[ca]\ndefault_ca = ca\n[ca]\ndatabase = {}\ncrlnumber = {}\ndefault_md = sha256\n",
            database.display(),
            place("crlnumber").display()
        );
        fs::write(place("ca.cnf"), settings).expect("a file is writable");
        let ca = || {
            let own = self.files(self.name);
            let mut command = Command::new("openssl");
            command.args(["ca", "-config"]).arg(place("ca.cnf"));
            command.arg("-cert").arg(own.certificate);
            command.arg("-keyfile").arg(own.key);
            command
        };
        for certificate in revoked {
            openssl(ca().arg("-revoke").arg(&certificate.certificate));
        }
        let list = place("revoked.crl");
        openssl(ca().arg("-gencrl").args(dates).arg("-out").arg(&list));
        list
    }

    fn files(&self, name: &str) -> Certificate {
        Certificate {
            certificate: self.directory.join(format!("{name}.crt")),
            key: self.directory.join(format!("{name}.key")),
        }
    }
}

fn openssl(command: &mut Command) {
    Outcome::of(command).expect(0);
}
