//! How slapproxy reaches PostgreSQL: by TLS, with certificates and passwords, and what it says when
//! it cannot.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use slapos_tests::postgres::{Postgres, Setup};
use slapos_tests::{Account, Authority, Certificate, Server, free_port};
use tempfile::TempDir;

/// A server that takes TLS only: passwords, and certificates for the user `certified`.
struct Secure {
    postgres: Postgres,
    port: u16,
    authority: Authority,
    directory: TempDir,
}

impl Secure {
    fn start() -> Self {
        let directory = TempDir::with_prefix_in("secure-", "/tmp").unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let authority = Authority::new(directory.path(), "authority");
        let Certificate { certificate, key } = authority.issue("server", "/CN=db", 30);
        // PostgreSQL takes a key of its own user only.
        Account::unprivileged().own(&key);
        let file = |name: &str, path: &Path| format!("{name}={}", path.display());
        let port = free_port();
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            "ssl=on".to_owned(),
            file("ssl_cert_file", &certificate),
            file("ssl_key_file", &key),
            file("ssl_ca_file", &authority.certificate()),
        ];
        let access = "hostssl all certified all cert\nhostssl all all all scram-sha-256\n\
                      host all all all reject";
        let postgres = Postgres::start(&Setup {
            settings: &settings,
            access,
            port,
            ..Setup::default()
        });
        let roles = "CREATE ROLE worded LOGIN SUPERUSER PASSWORD 'it''s: secret'; \
                     CREATE ROLE certified LOGIN SUPERUSER";
        postgres.sql("postgres", roles);
        Self {
            postgres,
            port,
            authority,
            directory,
        }
    }

    /// A URI of a fresh database.
    fn uri(&self, user: &str, parameters: &str) -> String {
        let local = self.postgres.database();
        let name = Postgres::name(&local);
        format!(
            "postgresql://{user}@127.0.0.1:{}/{name}?{parameters}",
            self.port
        )
    }

    fn authority(&self) -> String {
        format!("sslrootcert={}", self.authority.certificate().display())
    }

    /// A file of passwords with this mode.
    fn passfile(&self, name: &str, mode: u32) -> String {
        let path = self.directory.path().join(name);
        let line = format!("127.0.0.1:{}:*:worded:it's\\: secret\n", self.port);
        fs::write(&path, line).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    }
}

fn serves(uri: &str) {
    let server = Server::start("", &["-u", uri]);
    let (status, body) = server.get("/healthz").unwrap();
    assert_eq!((status, body.as_str()), (200, "ok\n"), "{uri}");
}

fn refused(uri: &str, part: &str) {
    let outcome = Server::refusal("", &["-u", uri]).expect(1);
    assert!(outcome.stderr.contains(part), "{uri}: {}", outcome.stderr);
    assert!(!outcome.stderr.contains("secret"), "{}", outcome.stderr);
}

#[test]
fn by_password_over_tls() {
    let secure = Secure::start();
    let ca = secure.authority();
    let file = secure.passfile("passwords", 0o600);
    serves(&secure.uri(
        "worded",
        &format!("sslmode=verify-full&{ca}&passfile={file}"),
    ));
    serves(&secure.uri("worded:it's%3A%20secret", "sslmode=require"));
    serves(&secure.uri(
        "worded:it's%3A%20secret",
        &format!("sslmode=verify-ca&{ca}"),
    ));
    // As libpq does: TLS if the server knows it.
    serves(&secure.uri("worded:it's%3A%20secret", ""));
    // Who names authorities wants them asked; the address is the name in the certificate.
    let verified = secure.uri("worded:it's%3A%20secret", &ca);
    serves(&verified);
    let port = secure.port;
    let unnamed = verified.replace(&format!("@127.0.0.1:{port}"), "@");
    serves(&format!("{unnamed}&hostaddr=127.0.0.1&port={port}"));
}

#[test]
fn by_the_environments_password() {
    let secure = Secure::start();
    let file = secure.passfile("environment", 0o600);
    for variable in [
        format!("PGPASSFILE={file}"),
        "PGPASSWORD=it's: secret".to_owned(),
    ] {
        let uri = secure.uri("worded", "sslmode=require");
        let wrapper = ["env", variable.as_str()];
        let server = Server::start_in(Server::directory(), &wrapper, "", &["-u", &uri]);
        assert_eq!(server.get("/healthz").unwrap().0, 200, "{variable}");
    }
}

#[test]
fn by_certificate() {
    let secure = Secure::start();
    let Certificate { certificate, key } = secure.authority.issue("certified", "/CN=certified", 30);
    let (certificate, key) = (certificate.display(), key.display());
    let ca = secure.authority();
    let own = format!("sslmode=verify-full&{ca}&sslcert={certificate}&sslkey={key}");
    serves(&secure.uri("certified", &own));
    refused(
        &secure.uri("certified", "sslmode=require"),
        "cannot be reached",
    );
}

#[test]
fn whoever_is_not_who_they_should_be_is_refused_by_name() {
    let secure = Secure::start();
    let other = Authority::new(secure.directory.path(), "other");
    let other = format!("sslrootcert={}", other.certificate().display());
    let (ca, user) = (secure.authority(), "worded:it's%3A%20secret");
    let open = secure.passfile("open", 0o644);
    for (user, parameters, part) in [
        (user, "sslmode=disable".to_owned(), "pg_hba.conf"),
        (user, format!("sslmode=verify-full&{other}"), "certificate"),
        (user, format!("sslmode=verify-ca&{other}"), "certificate"),
        (user, other.clone(), "certificate"),
        (user, format!("sslmode=prefer&{ca}"), "sslmode=prefer"),
        (
            "worded:wrong",
            "sslmode=require".to_owned(),
            "password authentication failed",
        ),
        (
            "worded",
            format!("sslmode=require&passfile={open}"),
            "mode must be 0600",
        ),
        (
            "worded",
            "sslmode=require&passfile=/absent/file".to_owned(),
            "/absent/file",
        ),
        (
            "worded",
            "sslmode=verify-full&sslrootcert=/absent/ca".to_owned(),
            "/absent/ca",
        ),
        ("worded", "sslmode=maybe".to_owned(), "sslmode=maybe"),
    ] {
        refused(&secure.uri(user, &parameters), part);
    }
    // The certificate is for 127.0.0.1 only.
    let named = secure.uri(user, &format!("sslmode=verify-full&{ca}"));
    refused(&named.replace("127.0.0.1", "localhost"), "certificate");
    let chained = secure.uri(user, &format!("sslmode=verify-ca&{ca}"));
    serves(&chained.replace("127.0.0.1", "localhost"));
}

#[test]
fn a_database_that_is_not_ours_is_left_alone() {
    let postgres = Postgres::shared();
    let newer = postgres.database();
    let name = Postgres::name(&newer);
    postgres.sql(
        name,
        "CREATE TABLE slapproxy_schema (version INTEGER, run_id TEXT); \
         INSERT INTO slapproxy_schema VALUES (99, 'x')",
    );
    refused(&newer, "version 99");
    let nobody = postgres.uri("nobodys");
    refused(&nobody, "nobodys");
    let foreign = postgres.database();
    let name = Postgres::name(&foreign);
    postgres.sql(name, "CREATE TABLE partition18 (photos TEXT)");
    refused(&foreign, "partition18");
    assert_eq!(
        postgres.sql(
            name,
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ),
        "1\n"
    );
}
