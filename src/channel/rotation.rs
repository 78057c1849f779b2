//! Credentials that the channel replaces while they are in use: tokens with a refresh token that changes each time.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use super::{CredentialVault, Credentials};
use crate::error::Result;
use crate::model::AccountId;

/// Credentials that rotate, for adapters: however many calls find the token expired at once, it is renewed once, and
/// the new pair is saved before anyone uses it.
///
/// ```
/// # async fn example() -> sales_channels::Result<()> {
/// use sales_channels::channel::{Credentials, RotatingCredentials, Secret};
///
/// let old = Credentials::new().with("access_token", "a1").with("refresh_token", "r1");
/// let tokens = RotatingCredentials::new("shop", old, None);
/// let seen = tokens.current();
/// // The channel answered that the token of `seen` has expired:
/// let fresh = tokens
///     .renew(&seen, async |old| {
///         let refresh = old.get("refresh_token").cloned(); // sent to the channel
///         Ok(old.clone().with("access_token", "a2").with("refresh_token", "r2"))
///     })
///     .await?;
/// assert_eq!(fresh.get("access_token").map(Secret::expose), Some("a2"));
/// # Ok(()) }
/// ```
pub struct RotatingCredentials {
    account: AccountId,
    vault: Option<Arc<dyn CredentialVault>>,
    current: RwLock<Arc<Credentials>>,
    /// Held through a renewal. In it: what the channel gave out and could not be saved yet. The channel knows no other
    /// any more, so it must not get lost.
    gate: Mutex<Option<Credentials>>,
}

impl RotatingCredentials {
    /// Starts with these. Without a vault they live as long as this value.
    pub fn new(
        account: impl Into<AccountId>,
        credentials: Credentials,
        vault: Option<Arc<dyn CredentialVault>>,
    ) -> Self {
        Self {
            account: account.into(),
            vault,
            current: RwLock::new(Arc::new(credentials)),
            gate: Mutex::new(None),
        }
    }

    /// Those in use now.
    pub fn current(&self) -> Arc<Credentials> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those to use now: renewed where their token has ended, and tried to be where it ends within `early`. `ends` tells
    /// the token's end, where it is known; one whose end nobody knows is used until it is refused.
    ///
    /// # Errors
    /// As [`RotatingCredentials::renew`], where the token has ended. One that still works is used all the same: the next
    /// call tries again.
    pub async fn ready(
        &self,
        now: DateTime<Utc>,
        ends: fn(&Credentials) -> Option<DateTime<Utc>>,
        early: TimeDelta,
        renew: impl AsyncFnOnce(&Credentials) -> Result<Credentials>,
    ) -> Result<Arc<Credentials>> {
        let seen = self.current();
        match ends(&seen) {
            Some(ends) if ends <= now => self.renew(&seen, renew).await,
            Some(ends) if ends - now <= early => Ok(self.renew(&seen, renew).await.unwrap_or(seen)),
            _ => Ok(seen),
        }
    }

    /// Renews the credentials that `seen` are, unless another caller or another process did meanwhile; answers with
    /// those to use from now on. `renew` is called at most once, with those to renew.
    ///
    /// # Errors
    /// What `renew` answers; `Store` when the new ones can't be saved: they are kept, and saved by the next call
    /// before anything else.
    pub async fn renew(
        &self,
        seen: &Arc<Credentials>,
        renew: impl AsyncFnOnce(&Credentials) -> Result<Credentials>,
    ) -> Result<Arc<Credentials>> {
        let mut unsaved = self.gate.lock().await;
        if let Some(waiting) = unsaved.clone() {
            self.save(&waiting).await?;
            *unsaved = None;
            return Ok(self.publish(waiting));
        }
        let current = self.current();
        if !Arc::ptr_eq(&current, seen) {
            return Ok(current);
        }
        if let Some(vault) = &self.vault
            && let Some(saved) = vault.load(&self.account).await?
            && saved != **seen
        {
            return Ok(self.publish(saved));
        }
        let fresh = renew(seen).await?;
        *unsaved = Some(fresh.clone());
        self.save(&fresh).await?;
        *unsaved = None;
        Ok(self.publish(fresh))
    }

    /// Uses other credentials from now on: those that a person entered and that are saved already.
    pub async fn replace(&self, credentials: Credentials) {
        let mut unsaved = self.gate.lock().await;
        *unsaved = None;
        self.publish(credentials);
    }

    async fn save(&self, credentials: &Credentials) -> Result<()> {
        match &self.vault {
            Some(vault) => vault.save(&self.account, credentials).await,
            None => Ok(()),
        }
    }

    fn publish(&self, credentials: Credentials) -> Arc<Credentials> {
        let credentials = Arc::new(credentials);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&credentials);
        credentials
    }
}

impl fmt::Debug for RotatingCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatingCredentials").field("account", &self.account).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::channel::{MemoryVault, Secret};
    use crate::error::{Error, ErrorKind};

    fn pair(n: u32) -> Credentials {
        Credentials::new()
            .with("access", Secret::new(format!("a{n}")))
            .with("refresh", Secret::new(format!("r{n}")))
    }

    fn access(credentials: &Credentials) -> String {
        credentials.get("access").map(|s| s.expose().to_owned()).unwrap_or_default()
    }

    #[tokio::test]
    async fn two_callers_at_once_renew_once_and_both_go_on() {
        let vault = Arc::new(MemoryVault::default());
        let tokens = RotatingCredentials::new("shop", pair(1), Some(vault.clone()));
        let renewals = AtomicU32::new(0);
        let seen = tokens.current();
        let call = async || {
            tokens
                .renew(&seen, async |_| {
                    tokio::task::yield_now().await;
                    renewals.fetch_add(1, Ordering::SeqCst);
                    Ok(pair(2))
                })
                .await
        };
        let (one, two) = tokio::join!(call(), call());
        assert_eq!(renewals.load(Ordering::SeqCst), 1);
        assert_eq!((access(&one.unwrap()), access(&two.unwrap())), ("a2".into(), "a2".into()));
        assert_eq!(vault.load(&"shop".into()).await.unwrap(), Some(pair(2)));
    }

    #[tokio::test]
    async fn a_token_is_renewed_at_its_end_and_early_where_that_works() {
        let at = |minutes: i64| DateTime::from_timestamp(minutes * 60, 0).unwrap();
        let early = TimeDelta::minutes(5);
        let ends = |credentials: &Credentials| credentials.time("ends");
        let ending = |text: &str| RotatingCredentials::new("shop", pair(1).with("ends", text), None);
        let in_an_hour = at(60).to_rfc3339();
        let renewed = async |_: &Credentials| Ok(pair(2));
        let fails = async |_: &Credentials| Err(Error::new(ErrorKind::Unavailable));
        for (minute, token) in [(54, "a1"), (55, "a2"), (59, "a2"), (60, "a2")] {
            let used = ending(&in_an_hour).ready(at(minute), ends, early, renewed).await.unwrap();
            assert_eq!(access(&used), token, "minute {minute}");
        }
        let used = ending(&in_an_hour).ready(at(59), ends, early, fails).await.unwrap();
        assert_eq!(access(&used), "a1", "it still works");
        assert!(ending(&in_an_hour).ready(at(60), ends, early, fails).await.is_err());
        let used = ending("nobody knows").ready(at(60), ends, early, fails).await.unwrap();
        assert_eq!(access(&used), "a1", "used until it is refused");
    }

    #[tokio::test]
    async fn what_another_process_renewed_is_taken_from_the_vault() {
        let vault = Arc::new(MemoryVault::default());
        let tokens = RotatingCredentials::new("shop", pair(1), Some(vault.clone()));
        vault.save(&"shop".into(), &pair(2)).await.unwrap();
        let seen = tokens.current();
        let fresh = tokens.renew(&seen, async |_| panic!("the old refresh token is used up")).await.unwrap();
        assert_eq!(access(&fresh), "a2");
    }

    /// Saves nothing for a while.
    #[derive(Debug, Default)]
    struct Broken(MemoryVault, AtomicU32);

    #[async_trait]
    impl CredentialVault for Broken {
        async fn load(&self, account: &AccountId) -> Result<Option<Credentials>> {
            self.0.load(account).await
        }

        async fn save(&self, account: &AccountId, credentials: &Credentials) -> Result<()> {
            if self.1.fetch_add(1, Ordering::SeqCst) == 0 {
                return Err(Error::new(ErrorKind::Store));
            }
            self.0.save(account, credentials).await
        }
    }

    #[tokio::test]
    async fn a_new_pair_that_could_not_be_saved_is_neither_used_nor_lost() {
        let vault = Arc::new(Broken::default());
        let tokens = RotatingCredentials::new("shop", pair(1), Some(vault.clone()));
        let seen = tokens.current();
        let failed = tokens.renew(&seen, async |_| Ok(pair(2))).await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Store);
        assert_eq!(access(&tokens.current()), "a1", "not used before it is saved");
        let fresh = tokens.renew(&seen, async |_| panic!("a second renewal would need r2")).await.unwrap();
        assert_eq!(access(&fresh), "a2");
        assert_eq!(vault.load(&"shop".into()).await.unwrap(), Some(pair(2)));
    }
}
