//! Listings: what a channel offers for sale, and which SKUs are behind it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AccountId, ChannelData, Sku};

/// Names a listing at its channel: an item, and the option of it that is stocked on its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListingKey {
    /// The channel's item id.
    pub item: String,
    /// The channel's id of the option; empty where the item has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub option: String,
}

impl ListingKey {
    /// An item without options.
    pub fn item(item: impl Into<String>) -> Self {
        Self { item: item.into(), option: String::new() }
    }

    /// An option of an item.
    pub fn option(item: impl Into<String>, option: impl Into<String>) -> Self {
        Self { item: item.into(), option: option.into() }
    }
}

impl std::fmt::Display for ListingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.item)?;
        if !self.option.is_empty() {
            write!(f, "/{}", self.option)?;
        }
        Ok(())
    }
}

/// Whether buyers can see a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ListingState {
    /// On sale.
    OnSale,
    /// Prepared, waiting or in review.
    Waiting,
    /// Stopped or refused.
    Stopped,
    /// A state that the adapter does not know.
    Unknown,
}

/// A listing as the channel shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Listing {
    /// Its name at the channel.
    pub key: ListingKey,
    /// The merchant's code on it, if any. Channels do not keep it unique.
    pub sku: Option<Sku>,
    /// Title and option in words.
    pub title: String,
    /// Whether buyers can see it.
    pub state: ListingState,
    /// The quantity that the channel shows, in pieces; `None`: not told by this call.
    pub quantity: Option<u32>,
    /// The adapter's own data.
    #[serde(default, skip_serializing_if = "ChannelData::is_empty")]
    pub channel_data: ChannelData,
}

impl Listing {
    /// A listing with its necessary parts.
    pub fn new(key: ListingKey, state: ListingState) -> Self {
        Self {
            key,
            sku: None,
            title: String::new(),
            state,
            quantity: None,
            channel_data: ChannelData::default(),
        }
    }
}

/// One SKU inside a listing, and how many pieces of it one sale takes (SS-10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The SKU.
    pub sku: Sku,
    /// Pieces per sale, at least 1.
    pub quantity: u32,
}

/// What the library knows about a listing: the SKUs behind it, and what was pushed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListingLink {
    /// Whose listing.
    pub account: AccountId,
    /// Which listing.
    pub key: ListingKey,
    /// The SKUs behind it: one for most, several for a bundle.
    pub components: Vec<Component>,
    /// The last quantity that the channel accepted, in pieces (SS-3).
    pub accepted: Option<u32>,
    /// The quantity being pushed: START was stored, the outcome not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushing: Option<u32>,
    /// Why the last push failed, until one succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When the channel last took a quantity.
    #[serde(default)]
    pub pushed_at: Option<DateTime<Utc>>,
    /// The adapter's own data of the listing.
    #[serde(default, skip_serializing_if = "ChannelData::is_empty")]
    pub channel_data: ChannelData,
}

impl ListingLink {
    /// A link that was never pushed.
    pub fn new(account: AccountId, key: ListingKey, components: Vec<Component>) -> Self {
        Self {
            account,
            key,
            components,
            accepted: None,
            pushing: None,
            failure: None,
            pushed_at: None,
            channel_data: ChannelData::default(),
        }
    }
}
