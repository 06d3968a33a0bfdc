//! Entries of the directory: what a file of the cache is, signed by who says so.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::lookup::url_key;
use crate::platform::{Distribution, Platform};
use crate::policy::Algorithm;
use crate::private_key::{PrivateKey, PrivateKeyError, Signature, SignatureHash};
use crate::trust::{Trust, Untrusted};

/// Most entries of a key that are looked at.
const MOST_ENTRIES: usize = 1000;
/// Longest text of an entry that is looked at, in bytes.
const LONGEST_TEXT: usize = 64 << 10;
/// What precedes the Ed25519 signature at the end of a text. It is made over the text without it.
const ED25519_FIELD: &str = ",\"ed25519\":\"";

/// A JSON object as a text, and an RSA signature in base64 over exactly this text, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry(pub(crate) String, pub(crate) String);

/// An answer of the directory that is no list of entries.
#[derive(Debug, thiserror::Error)]
#[error("it is no JSON array")]
pub struct InvalidList(#[from] serde_json::Error);

/// Reads the entries of a key, in the order of the server, which is the newest first. What is not
/// a pair of texts is `None`, so that it does not take the others with it.
///
/// # Errors
/// The whole is no JSON array.
pub fn parse_list(json: &[u8]) -> Result<Vec<Option<Entry>>, InvalidList> {
    let List(entries) = serde_json::from_slice(json)?;
    Ok(entries)
}

/// The first entries of a list. However many others and whatever else it holds, no more is remembered.
struct List(Vec<Option<Entry>>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor).map(Self)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Vec<Option<Entry>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() < MOST_ENTRIES
            && let Some(item) = items.next_element::<&RawValue>()?
        {
            entries.push(serde_json::from_str(item.get()).ok());
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(entries)
    }
}

/// Why an entry is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// It is no pair of texts.
    #[error("it is no pair of a text and a signature")]
    Pair,
    /// Its signature does not count.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The text is no JSON object, or too long.
    #[error("its text is no JSON object of a reasonable length")]
    Object,
    /// It names no file.
    #[error("it has no valid sha512")]
    Digest,
    /// It is for another kind of machine.
    #[error("it is for the machine {0}")]
    Machine(String),
    /// It is for another distribution.
    #[error("it is for the distribution {0}")]
    Distribution(String),
    /// It is about another release.
    #[error("it is about {0}")]
    Url(String),
    /// It was built to lie elsewhere.
    #[error("it is for the software root {0}")]
    Root(String),
}

/// What an entry says, of a text that has been verified unless the function's name tells otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description(Map<String, Value>);

impl Description {
    fn parse(text: &str) -> Result<Self, Unusable> {
        if text.len() > LONGEST_TEXT {
            return Err(Unusable::Object);
        }
        let object = serde_json::from_str(text).map_err(|_| Unusable::Object)?;
        Ok(Self(object))
    }

    /// A field that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The file.
    ///
    /// # Errors
    /// There is none, or its digest is none.
    pub fn digest(&self) -> Result<Digest, Unusable> {
        let digest = self.text("sha512").and_then(Digest::parse);
        digest.ok_or(Unusable::Digest)
    }

    /// The machine, as `gcc -dumpmachine` says or, in older entries, `uname -m`.
    pub fn machine(&self) -> Option<&str> {
        self.text("multiarch").or_else(|| self.text("machine"))
    }

    /// The distribution, a list or, in older entries, the text of a tuple.
    pub fn distribution(&self) -> Option<Distribution> {
        match self.0.get("os")? {
            Value::String(text) => Distribution::from_tuple(text),
            Value::Array(items) => {
                let items: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
                let [name, version, codename] = items?.try_into().ok()?;
                Some(Distribution {
                    name: name.to_owned(),
                    version: version.to_owned(),
                    codename: codename.to_owned(),
                })
            }
            _ => None,
        }
    }

    /// Whether what was built so runs here.
    ///
    /// # Errors
    /// It is for another machine or distribution.
    pub fn check_platform(&self, platform: &Platform) -> Result<(), Unusable> {
        let ours = match self.text("multiarch") {
            Some(multiarch) => multiarch == platform.multiarch,
            None => self.text("machine") == Some(&platform.machine),
        };
        if !ours {
            let machine = self.machine().unwrap_or("unknown");
            return Err(Unusable::Machine(machine.to_owned()));
        }
        let distribution = self.distribution();
        if distribution
            .as_ref()
            .is_some_and(|os| os.matches(&platform.distribution))
        {
            return Ok(());
        }
        let named = distribution.map_or_else(|| "unknown".to_owned(), |os| os.to_string());
        Err(Unusable::Distribution(named))
    }

    fn check_release(&self, release: &ReleaseKey<'_>) -> Result<(), Unusable> {
        if self.said("software_url") != release.url {
            return Err(Unusable::Url(self.said("software_url").to_owned()));
        }
        self.check_root(release.software_root)
    }

    /// Whether it was built to lie below this directory.
    pub(crate) fn check_root(&self, ours: &str) -> Result<(), Unusable> {
        let root = self.said("software_root");
        match root == ours {
            true => Ok(()),
            false => Err(Unusable::Root(root.to_owned())),
        }
    }

    /// Whether it is about the release of this key.
    pub(crate) fn check_key(&self, key: &str) -> Result<(), Unusable> {
        let url = self.said("software_url");
        match url_key(url) == key {
            true => Ok(()),
            false => Err(Unusable::Url(url.to_owned())),
        }
    }

    /// A text for people.
    fn said(&self, name: &str) -> &str {
        self.text(name).unwrap_or("nothing")
    }
}

/// What an archive is of.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseKey<'a> {
    /// The URL of the release.
    pub url: &'a str,
    /// The name of its directory: the MD5 of the URL, which is the key of the directory too.
    pub name: &'a str,
    /// Where that directory lies.
    pub software_root: &'a str,
}

impl Entry {
    /// What the entry says, once it is known that who says so is trusted.
    ///
    /// # Errors
    /// The signature does not count, or the text is no object.
    pub fn verify(&self, trust: &Trust) -> Result<(Description, Algorithm), Unusable> {
        let Self(text, signature) = self;
        if text.len() > LONGEST_TEXT {
            return Err(Unusable::Object);
        }
        let rsa = trust.check_rsa(text.as_bytes(), signature);
        let untrusted = match rsa {
            Ok(algorithm) => return Ok((Description::parse(text)?, algorithm)),
            Err(untrusted) => untrusted,
        };
        let Some((signed, signature)) = split_ed25519(text) else {
            return Err(untrusted.into());
        };
        // Of two signatures that do not count, what is wrong with the first tells more, if it is there.
        let algorithm = trust
            .check_ed25519(signed.as_bytes(), signature)
            .map_err(|error| match untrusted {
                Untrusted::Unsigned => error,
                other => other,
            })?;
        Ok((Description::parse(&signed)?, algorithm))
    }

    /// What the entry says, whoever says it: only to be shown.
    ///
    /// # Errors
    /// The text is no object.
    pub fn unverified(&self) -> Result<Description, Unusable> {
        Description::parse(&self.0)
    }

    /// The file of a release that this entry offers for a machine like ours.
    ///
    /// # Errors
    /// The entry is not trusted, or about something else.
    pub fn select(
        &self,
        trust: &Trust,
        platform: &Platform,
        release: &ReleaseKey<'_>,
    ) -> Result<(Digest, Algorithm), Unusable> {
        let (description, algorithm) = self.verify(trust)?;
        let digest = description.digest()?;
        description.check_platform(platform)?;
        description.check_release(release)?;
        Ok((digest, algorithm))
    }

    /// Describes an archive of a release. Where all versions of the node software can read it, the
    /// older form is written.
    ///
    /// # Errors
    /// A key cannot sign.
    pub fn of_release(
        digest: &Digest,
        platform: &Platform,
        release: &ReleaseKey<'_>,
        signer: &Signer,
    ) -> Result<Self, PrivateKeyError> {
        let mut object = json!({
            "file": release.name,
            "urlmd5": release.name,
            "sha512": digest.as_str(),
            "software_url": release.url,
            "software_root": release.software_root,
            "machine": platform.machine,
        });
        let distribution = &platform.distribution;
        if platform.is_classic() {
            object["os"] = distribution.tuple().into();
        } else {
            object["multiarch"] = platform.multiarch.as_str().into();
            let Distribution {
                name,
                version,
                codename,
            } = distribution;
            object["os"] = json!([name, version, codename]);
        }
        signer.sign(object.to_string())
    }
}

/// The text that an Ed25519 signature at the end of a text is over, and the signature.
fn split_ed25519(text: &str) -> Option<(String, &str)> {
    let (signed, rest) = text.rsplit_once(ED25519_FIELD)?;
    let signature = rest.strip_suffix("\"}")?;
    Some((format!("{signed}}}"), signature))
}

/// The keys that sign what is uploaded. Without any, entries are not signed, and nobody uses them.
#[derive(Debug, Default)]
pub struct Signer {
    /// Usually RSA, for readers in Python.
    pub key: Option<PrivateKey>,
    /// The digest under RSA signatures.
    pub hash: SignatureHash,
    /// Signs in addition, in a field that readers in Python ignore.
    pub additional: Option<PrivateKey>,
}

impl Signer {
    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.key.is_none() && self.additional.is_none()
    }

    /// Signs the text of an object that has fields.
    pub(crate) fn sign(&self, mut text: String) -> Result<Entry, PrivateKeyError> {
        let keys = [&self.key, &self.additional];
        let keys = keys.into_iter().flatten();
        if let Some(key) = keys.clone().find(|key| !key.is_rsa())
            && let Signature::Ed25519(signature) = key.sign(text.as_bytes(), self.hash)?
        {
            text.pop();
            text = text + ED25519_FIELD + &signature + "\"}";
        }
        let mut rsa = String::new();
        if let Some(key) = keys.clone().find(|key| key.is_rsa())
            && let Signature::Rsa(signature) = key.sign(text.as_bytes(), self.hash)?
        {
            rsa = signature;
        }
        Ok(Entry(text, rsa))
    }
}
