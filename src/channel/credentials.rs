//! Credentials: named secret parts, when they end, and where they are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};
use crate::model::AccountId;

/// A secret text. Debug prints `[secret]`; memory is wiped when it is dropped; it can't be serialised by accident.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(SecretString::from(secret.into()))
    }

    /// The secret itself: only for the header or the signature that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is nothing in it but white space.
    pub fn is_blank(&self) -> bool {
        self.expose().trim().is_empty()
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self::new(secret)
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self::new(secret)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The parts that a channel asks for, by the names that its [`CredentialPart`]s give, and when they end.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Credentials {
    /// Name to value.
    pub parts: BTreeMap<String, Secret>,
    /// When they end (KE-1); `None`: never, or nobody knows.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Credentials {
    /// No parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part.
    pub fn with(mut self, name: &str, value: impl Into<Secret>) -> Self {
        self.parts.insert(name.to_owned(), value.into());
        self
    }

    /// Sets when they end.
    pub fn expiring(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// A part that is there and not blank.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.parts.get(name).filter(|secret| !secret.is_blank())
    }

    /// A part that must be there, without the white space that copying brings along.
    ///
    /// # Errors
    /// `InvalidInput` names it when it is missing.
    pub fn part(&self, name: &str) -> Result<Secret> {
        let part = self.get(name).ok_or_else(|| Error::invalid(format!("the credentials lack {name}")))?;
        Ok(Secret::new(part.expose().trim()))
    }

    /// A part that is a time (RFC 3339), where it can be read.
    pub fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.get(name)?.expose().trim();
        Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc))
    }
}

/// One part of a channel's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialPart {
    /// Name in [`Credentials::parts`].
    pub name: &'static str,
    /// What it is and where the merchant finds it.
    pub help: &'static str,
    /// Whether a renewal replaces it: then it must be given, and differ from the old one (KE-3).
    pub renewed: bool,
    /// Whether the expiry date changes with it and must be given (KE-3).
    pub with_expiry: bool,
    /// A value of the right form that opens nothing, for forms and examples.
    pub example: &'static str,
}

impl CredentialPart {
    /// A part that a renewal replaces.
    pub const fn renewed(name: &'static str, help: &'static str) -> Self {
        Self { name, help, renewed: true, with_expiry: false, example: "example" }
    }

    /// A part that stays.
    pub const fn lasting(name: &'static str, help: &'static str) -> Self {
        Self { name, help, renewed: false, with_expiry: false, example: "example" }
    }

    /// With a value of the right form, where the form is checked.
    pub const fn like(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    /// The expiry date must be given with it.
    pub const fn with_expiry(mut self) -> Self {
        self.with_expiry = true;
        self
    }
}

/// Where an application keeps credentials. Adapters that rotate tokens save the new ones here before they use them.
#[async_trait]
pub trait CredentialVault: Send + Sync + fmt::Debug {
    /// The account's credentials, if any were saved.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn load(&self, account: &AccountId) -> Result<Option<Credentials>>;

    /// Replaces the account's credentials; durable when it returns.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn save(&self, account: &AccountId, credentials: &Credentials) -> Result<()>;
}

/// Keeps credentials in memory only.
#[derive(Debug, Default)]
pub struct MemoryVault(Mutex<BTreeMap<AccountId, Credentials>>);

#[async_trait]
impl CredentialVault for MemoryVault {
    async fn load(&self, account: &AccountId) -> Result<Option<Credentials>> {
        Ok(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(account).cloned())
    }

    async fn save(&self, account: &AccountId, credentials: &Credentials) -> Result<()> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(account.clone(), credentials.clone());
        Ok(())
    }
}
