//! The stores' public keys, and what is told of a signature: the store account and a time, encrypted with the key.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

/// A key is good for so many days.
const KEY_DAYS: i64 = 365;

/// Whether the store lets a key be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// 有効.
    Valid,
    /// 無効.
    Invalid,
}

/// A key with its private half, which only the channel has.
struct StoreKey {
    store: String,
    version: u32,
    state: KeyState,
    until: DateTime<Utc>,
    private: Pkcs1PrivateDecryptingKey,
}

/// A public key as Store Creator Pro shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The number beside it.
    pub version: u32,
    /// The key: PEM, SPKI.
    pub pem: String,
}

/// The keys of all stores.
#[derive(Default)]
pub(super) struct Keys(Vec<StoreKey>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("keys", &self.0.len()).finish()
    }
}

impl Keys {
    /// A new key of a store. Older ones stay as they are. None when the machine can't make one.
    pub(super) fn issue(&mut self, store: &str, now: DateTime<Utc>) -> Option<PublicKey> {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).ok()?;
        let pem = pem(&private)?;
        let version = self.0.iter().filter(|key| key.store == store).map(|key| key.version).max();
        let version = version.unwrap_or(0) + 1;
        self.0.push(StoreKey {
            store: store.to_owned(),
            version,
            state: KeyState::Valid,
            until: now + TimeDelta::days(KEY_DAYS),
            private: Pkcs1PrivateDecryptingKey::new(private).ok()?,
        });
        Some(PublicKey { version, pem })
    }

    /// Keys that were made before the sandbox runs: their year begins now.
    pub(super) fn begin(&mut self, now: DateTime<Utc>) {
        self.0.iter_mut().for_each(|key| key.until = now + TimeDelta::days(KEY_DAYS));
    }

    /// Whether there is such a key.
    pub(super) fn set_state(&mut self, store: &str, version: u32, state: KeyState) -> bool {
        let key = self.0.iter_mut().find(|key| key.store == store && key.version == version);
        key.is_some_and(|key| {
            key.state = state;
            true
        })
    }

    /// What `X-SWS-Authorize-Status` says.
    pub(super) fn status(
        &self,
        store: &str,
        signature: Option<&str>,
        version: Option<&str>,
        tolerance: u32,
        now: DateTime<Utc>,
    ) -> &'static str {
        let Some(signature) = signature else { return "none" };
        let Some(version) = version.and_then(|text| text.parse::<u32>().ok()) else {
            return "invalid-key-version";
        };
        let Some(key) = self.0.iter().find(|key| key.store == store && key.version == version) else {
            return "not-found-key-version";
        };
        if key.until <= now {
            return "expired-key-version";
        }
        if key.state == KeyState::Invalid {
            return "invalid-key-status";
        }
        let value = key.decrypt(signature);
        let Some((sender, time)) = value.as_deref().and_then(|value| value.split_once(':')) else {
            return "invalid-authorize-value";
        };
        let Ok(time) = time.parse::<i64>() else { return "invalid-timestamp" };
        if sender != store {
            return "invalid-sellerid";
        }
        if now.timestamp().abs_diff(time) > u64::from(tolerance) {
            return "expired-timestamp";
        }
        AUTHORIZED
    }
}

/// The signature is fine.
pub(super) const AUTHORIZED: &str = "authorized";

impl StoreKey {
    fn decrypt(&self, signature: &str) -> Option<String> {
        let encrypted = STANDARD.decode(signature).ok()?;
        let mut plain = vec![0; self.private.min_output_size()];
        let plain = self.private.decrypt(&encrypted, &mut plain).ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }
}

fn pem(private: &PrivateDecryptingKey) -> Option<String> {
    let public = private.public_key();
    let der: PublicKeyX509Der<'_> = public.as_der().ok()?;
    let encoded = STANDARD.encode(der.as_ref());
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in encoded.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|&b| char::from(b)));
        pem.push('\n');
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    Some(pem)
}
