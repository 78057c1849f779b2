//! Carries decisions out: cycles, manual operations, reports, events, health.
//!
//! The hub asks [`policy`](crate::policy) what to do, stores the intention, does it, and stores the outcome. It
//! knows no channel by name.

mod actions;
mod dispatching;
mod event;
mod manual;
mod report;
mod run;
mod stock;
mod sync;
mod telling;
mod work;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::TimeDelta;

use crate::channel::{Channel, ConnectionReport, Context, CredentialVault};
use crate::error::{Error, ErrorKind, Result};
use crate::fulfillment::FulfillmentCenter;
use crate::model::{AccountId, Clock, SystemClock};
use crate::options::{AccountFacts, EffectiveOptions, OptionErrors, OptionSet};
use crate::store::Store;

pub use event::{Event, Observer};
pub use manual::Acted;
pub use report::{CycleReport, End, ReportLine, Tally, What};

/// An account as the application connects it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Account {
    /// The application's name for it.
    pub id: AccountId,
    /// The connection to the channel.
    pub channel: Arc<dyn Channel>,
    /// What the merchant chose.
    pub options: OptionSet,
    /// The fulfilment centre, if there is one.
    pub centre: Option<Arc<dyn FulfillmentCenter>>,
    /// Where its credentials are kept, for renewals.
    pub vault: Option<Arc<dyn CredentialVault>>,
    /// Whether the merchant has authorised the application at the channel (HM-2).
    pub authorised: bool,
}

impl Account {
    /// An authorised account with all defaults.
    pub fn new(id: impl Into<AccountId>, channel: Arc<dyn Channel>) -> Self {
        Self {
            id: id.into(),
            channel,
            options: OptionSet::default(),
            centre: None,
            vault: None,
            authorised: true,
        }
    }

    /// With the merchant's choices.
    pub fn with_options(mut self, options: OptionSet) -> Self {
        self.options = options;
        self
    }

    /// With a fulfilment centre.
    pub fn with_centre(mut self, centre: Arc<dyn FulfillmentCenter>) -> Self {
        self.centre = Some(centre);
        self
    }

    /// With a place for renewed credentials.
    pub fn with_vault(mut self, vault: Arc<dyn CredentialVault>) -> Self {
        self.vault = Some(vault);
        self
    }

    fn facts(&self) -> AccountFacts {
        AccountFacts { has_centre: self.centre.is_some(), authorised: self.authorised }
    }
}

/// An account inside the hub.
#[derive(Debug)]
struct Connected {
    account: Account,
    options: RwLock<Arc<EffectiveOptions>>,
    /// Within this process an account is worked on by one task at a time; across processes the lease sees to it.
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl Connected {
    fn options(&self) -> Arc<EffectiveOptions> {
        Arc::clone(&self.options.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sizes and times of a hub.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HubSettings {
    /// Accounts worked on at once. Default: 8.
    pub concurrency: usize,
    /// Records taken from the store at once. Default: 500.
    pub page: usize,
    /// How long one call to a channel may take, with its waiting and repeats. Default: 60 s.
    pub call_budget: Duration,
    /// How long an account stays taken when its worker dies. Default: 10 minutes.
    pub lease: TimeDelta,
}

impl Default for HubSettings {
    fn default() -> Self {
        Self {
            concurrency: 8,
            page: 500,
            call_budget: Duration::from_secs(60),
            lease: TimeDelta::minutes(10),
        }
    }
}

/// Runs merchants' options on many accounts. Cheap to clone.
///
/// ```
/// use std::sync::Arc;
///
/// use sales_channels::hub::Hub;
/// use sales_channels::store::MemoryStore;
///
/// let hub = Hub::new(Arc::new(MemoryStore::new()));
/// assert!(hub.accounts().is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    settings: HubSettings,
    owner: String,
    accounts: RwLock<BTreeMap<AccountId, Arc<Connected>>>,
}

/// Builds a [`Hub`].
#[derive(Debug)]
pub struct HubBuilder {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    settings: HubSettings,
    owner: Option<String>,
}

impl HubBuilder {
    /// Uses this clock instead of the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Tells this observer of events.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Uses these sizes and times.
    pub fn settings(mut self, settings: HubSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Names this worker in leases. Default: process id and start time. Two workers must not share a name.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// The hub.
    pub fn build(self) -> Hub {
        let clock = self.clock;
        let owner = self.owner.unwrap_or_else(|| {
            let started = SystemClock.now().timestamp_nanos_opt().unwrap_or_default();
            format!("{}-{started:x}", std::process::id())
        });
        Hub(Arc::new(Inner {
            store: self.store,
            clock,
            observer: self.observer,
            settings: self.settings,
            owner,
            accounts: RwLock::default(),
        }))
    }
}

impl Hub {
    /// A hub over a store, with the system's clock and all defaults.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self::builder(store).build()
    }

    /// Builds a hub over a store.
    pub fn builder(store: Arc<dyn Store>) -> HubBuilder {
        HubBuilder {
            store,
            clock: Arc::new(SystemClock),
            observer: None,
            settings: HubSettings::default(),
            owner: None,
        }
    }

    /// Connects an account, or replaces it. Nothing is sent.
    ///
    /// # Errors
    /// [`OptionErrors`] when the channel or the account can't honour an option.
    pub fn connect(&self, account: Account) -> Result<(), OptionErrors> {
        let options = EffectiveOptions::check(&account.options, account.channel.as_ref(), account.facts())?;
        let mut accounts = self.0.accounts.write().unwrap_or_else(PoisonError::into_inner);
        // A run that is under way under the old connection must end before one under the new begins.
        let gate = accounts.get(&account.id).map_or_else(Arc::default, |old| Arc::clone(&old.gate));
        let id = account.id.clone();
        accounts.insert(id, Arc::new(Connected { account, options: RwLock::new(Arc::new(options)), gate }));
        Ok(())
    }

    /// Changes an account's options from its next run on.
    ///
    /// # Errors
    /// `NotFound`; `Configuration` when an option can't be honoured: the old ones stay in force.
    pub fn set_options(&self, id: &AccountId, options: &OptionSet) -> Result<()> {
        let connected = self.connected(id)?;
        let account = &connected.account;
        let effective = EffectiveOptions::check(options, account.channel.as_ref(), account.facts())?;
        *connected.options.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(effective);
        Ok(())
    }

    /// Forgets an account's connection. What is stored about it stays.
    pub fn disconnect(&self, id: &AccountId) {
        self.0.accounts.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// The connected accounts.
    pub fn accounts(&self) -> Vec<AccountId> {
        self.0.accounts.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Tests a connection by a harmless read (CT-1); works before the account is connected.
    ///
    /// # Errors
    /// What keeps the credentials from working: wrong, expired, not permitted, or the channel's own trouble.
    pub async fn test(&self, channel: &dyn Channel) -> Result<ConnectionReport> {
        let cx = Context::new().with_budget(self.0.settings.call_budget);
        channel.test(&cx).await.map_err(|e| e.at_channel(&channel.info().id))
    }

    fn connected(&self, id: &AccountId) -> Result<Arc<Connected>> {
        let accounts = self.0.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(id).cloned().ok_or_else(|| {
            Error::new(ErrorKind::NotFound).for_account(id).with_message("no such account is connected")
        })
    }
}
