//! Adapters, one folder a channel. They use only what an outsider's adapter could use.
//!
//! [`ALL`] lists the adapters that were switched on; [`find`] names one by its id, so that an application can connect
//! an account from stored settings alone.

use std::fmt;
use std::sync::Arc;

use crate::channel::{Channel, CredentialPart, CredentialVault, Credentials};
use crate::error::Result;
use crate::http::{BaseUrl, HttpClient};
use crate::model::AccountId;

#[cfg(feature = "coupang")]
pub mod coupang;
#[cfg(feature = "crossmall")]
pub mod crossmall;
#[cfg(feature = "ecwid")]
pub mod ecwid;
#[cfg(feature = "lazada")]
pub mod lazada;
#[cfg(feature = "qoo10")]
pub mod qoo10;
#[cfg(feature = "rakuten")]
pub mod rakuten;
#[cfg(feature = "shopee")]
pub mod shopee;
#[cfg(feature = "shopify")]
pub mod shopify;
#[cfg(feature = "tiktok_shop")]
pub mod tiktok_shop;
#[cfg(feature = "yahoo_shopping")]
pub mod yahoo_shopping;

/// The adapters that were switched on, by id.
pub const ALL: &[Adapter] = &[
    #[cfg(feature = "coupang")]
    coupang::ADAPTER,
    #[cfg(feature = "crossmall")]
    crossmall::ADAPTER,
    #[cfg(feature = "ecwid")]
    ecwid::ADAPTER,
    #[cfg(feature = "lazada")]
    lazada::ADAPTER,
    #[cfg(feature = "qoo10")]
    qoo10::ADAPTER,
    #[cfg(feature = "rakuten")]
    rakuten::ADAPTER,
    #[cfg(feature = "shopee")]
    shopee::ADAPTER,
    #[cfg(feature = "shopify")]
    shopify::ADAPTER,
    #[cfg(feature = "tiktok_shop")]
    tiktok_shop::ADAPTER,
    #[cfg(feature = "yahoo_shopping")]
    yahoo_shopping::ADAPTER,
];

/// The adapter of this id, if it was switched on.
pub fn find(id: &str) -> Option<&'static Adapter> {
    ALL.iter().find(|adapter| adapter.id == id)
}

/// An adapter, as data.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Adapter {
    /// The channel's id.
    pub id: &'static str,
    /// The feature that switches it on.
    pub feature: &'static str,
    /// The parts of the channel's credentials.
    pub parts: &'static [CredentialPart],
    /// Connects an account. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidInput` when a part of the credentials is missing; `Configuration` when a setting is wrong.
    pub open: fn(&Opening) -> Result<Arc<dyn Channel>>,
}

impl Adapter {
    /// An adapter.
    pub const fn new(
        id: &'static str,
        feature: &'static str,
        parts: &'static [CredentialPart],
        open: fn(&Opening) -> Result<Arc<dyn Channel>>,
    ) -> Self {
        Self { id, feature, parts, open }
    }
}

/// What an adapter needs to connect an account.
#[derive(Clone)]
#[non_exhaustive]
pub struct Opening {
    /// What it sends through.
    pub client: HttpClient,
    /// Whose account.
    pub account: AccountId,
    /// The account's credentials.
    pub credentials: Credentials,
    /// Another address than the channel's own: a sandbox, a regional host, a test's server.
    pub base_url: Option<BaseUrl>,
    /// Where credentials that rotate are saved before they are used.
    pub vault: Option<Arc<dyn CredentialVault>>,
}

impl Opening {
    /// An account at the channel's own address.
    pub fn new(client: &HttpClient, account: impl Into<AccountId>, credentials: Credentials) -> Self {
        Self { client: client.clone(), account: account.into(), credentials, base_url: None, vault: None }
    }

    /// At another address.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// With a place for credentials that rotate.
    pub fn with_vault(mut self, vault: Arc<dyn CredentialVault>) -> Self {
        self.vault = Some(vault);
        self
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("account", &self.account).finish_non_exhaustive()
    }
}
