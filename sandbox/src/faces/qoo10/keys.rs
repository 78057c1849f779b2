//! Certification keys (sheet section 2) and how one is made.

use std::collections::HashMap;

use serde::Deserialize;

use super::answer::{Done, Failure, Outcome};
use super::call::Call;
use super::methods::{Desk, Method};
use super::{API_KEY, EXPIRED_KEY, KEY, OTHER_KEY, OTHER_SELLER, PASSWORD, READ_ONLY_KEY, USER_ID};
use crate::lock;
use crate::market::DEFAULT_SELLER;

/// What a certification key is good for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum KeyState {
    /// Everything.
    Active,
    /// Nothing any more: answered with -90004.
    Expired,
    /// Reading; methods that change something are answered with -90002.
    ReadOnly,
    /// Everything but these methods, which are answered with -90002.
    Without {
        /// Methods, for example `ShippingBasic.SetSendingInfo`.
        methods: Vec<String>,
    },
    /// Every call is answered with this code, for example -90003 or -90005.
    Answers {
        /// The code.
        code: i64,
    },
    /// Unknown to the channel: answered with -10000.
    Deleted,
}

#[derive(Debug)]
struct Key {
    seller: String,
    state: KeyState,
}

#[derive(Debug)]
pub(crate) struct Keys {
    keys: HashMap<String, Key>,
    made: u32,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let mut keys = Self { keys: HashMap::new(), made: 0 };
        keys.set(DEFAULT_SELLER, KEY, KeyState::Active);
        keys.set(DEFAULT_SELLER, EXPIRED_KEY, KeyState::Expired);
        keys.set(DEFAULT_SELLER, READ_ONLY_KEY, KeyState::ReadOnly);
        keys.set(OTHER_SELLER, OTHER_KEY, KeyState::Active);
        keys
    }

    pub(crate) fn set(&mut self, seller: &str, key: &str, state: KeyState) {
        self.keys.insert(key.to_owned(), Key { seller: seller.to_owned(), state });
    }

    /// The seller whose key it is, if the key is good for the method.
    pub(crate) fn seller(&self, key: Option<&str>, method: &Method) -> Result<String, Failure> {
        let unauthorized = || Failure::new(-10000, "Please check the Seller Authorization Key.");
        let forbidden = || Failure::new(-90002, "You are not authorized for this.");
        let expired = || Failure::new(-90004, "Seller authorization key is expired. Use a new key.");
        let key = self.keys.get(key.ok_or_else(unauthorized)?).ok_or_else(unauthorized)?;
        match &key.state {
            KeyState::Active => Ok(key.seller.clone()),
            KeyState::Deleted => Err(unauthorized()),
            KeyState::Expired => Err(expired()),
            KeyState::ReadOnly if method.changes => Err(forbidden()),
            KeyState::Without { methods } if methods.iter().any(|m| m == method.name) => Err(forbidden()),
            KeyState::ReadOnly | KeyState::Without { .. } => Ok(key.seller.clone()),
            KeyState::Answers { code: code @ (-90002 | -90003) } => {
                Err(Failure::new(*code, "You are not authorized for this."))
            }
            KeyState::Answers { code: code @ (-90004 | -90005) } => {
                Err(Failure::new(*code, "Seller authorization key is expired. Use a new key."))
            }
            KeyState::Answers { code } => Err(Failure::new(*code, "Error")),
        }
    }
}

/// `CertificationAPI.CreateCertificationKey`: the header carries the API key here.
pub(super) fn create(desk: &Desk, call: &Call) -> Outcome {
    if call.key.as_deref() != Some(API_KEY) {
        return Err(Failure::new(-10000, "Please check the Seller Authorization Key."));
    }
    if call.text("user_id") != USER_ID || call.text("pwd") != PASSWORD {
        return Err(Failure::new(-10001, "Not exists seller info"));
    }
    let mut keys = lock(&desk.face.0.keys);
    keys.made += 1;
    let key = format!("sandbox-qoo10-made-key-{}", keys.made);
    keys.set(DEFAULT_SELLER, &key, KeyState::Active);
    Done::value(&key)
}
