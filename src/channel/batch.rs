//! For adapters: batches of items each of which needs a call of its own.

use std::future::Future;
use std::sync::OnceLock;

use futures_util::StreamExt;

use super::Outcome;
use crate::error::{Error, ErrorKind, Result};

/// Runs calls about single items, at most `parallel` at once, and answers in their order. An error of one call is the
/// outcome of its item alone, made by `on_error` (usually [`Outcome::from_error`]). Once the channel refuses the
/// credentials or asks to wait, what has not begun is not tried.
///
/// # Errors
/// As [`whole`], so that the account's health shows what stands in the way.
pub async fn each<T>(
    calls: Vec<impl Future<Output = Result<Outcome<T>>> + Send>,
    parallel: usize,
    on_error: fn(&Error) -> Outcome<T>,
) -> Result<Vec<Outcome<T>>> {
    let stop = OnceLock::<Error>::new();
    let guarded = calls.into_iter().map(|call| {
        let stop = &stop;
        async move {
            if let Some(error) = stop.get() {
                return Outcome::NotTried(error.clone());
            }
            call.await.unwrap_or_else(|error| {
                if concerns_account(&error) {
                    let _ = stop.set(error.clone());
                }
                on_error(&error)
            })
        }
    });
    let outcomes: Vec<Outcome<T>> =
        futures_util::stream::iter(guarded).buffered(parallel.max(1)).collect().await;
    whole(outcomes)
}

/// One outcome per item, or one error where no call had an outcome.
///
/// # Errors
/// The first error, where nothing was done or nothing is known of all items.
pub fn whole<T>(outcomes: Vec<Outcome<T>>) -> Result<Vec<Outcome<T>>> {
    match outcomes.first() {
        Some(Outcome::NotTried(error))
            if outcomes.iter().all(|o| matches!(o, Outcome::NotTried(_)))
                && matches!(Outcome::<()>::from_error(error), Outcome::NotTried(_)) =>
        {
            Err(error.clone())
        }
        Some(Outcome::Unknown(error)) if outcomes.iter().all(|o| matches!(o, Outcome::Unknown(_))) => {
            Err(error.clone())
        }
        _ => Ok(outcomes),
    }
}

/// Whether the next call would fail the same way: it is about the account, not about the item.
pub fn concerns_account(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unauthorized
            | ErrorKind::CredentialExpired
            | ErrorKind::RateLimited
            | ErrorKind::Configuration
            | ErrorKind::Store
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_failed_item_spoils_only_itself() {
        let calls = (0..5).map(|n| async move {
            if n == 2 { Err(Error::new(ErrorKind::NotFound)) } else { Ok(Outcome::Done(n)) }
        });
        let outcomes = each(calls.collect(), 2, Outcome::from_error).await.unwrap();
        let done: Vec<bool> = outcomes.iter().map(Outcome::is_done).collect();
        assert_eq!(done, [true, true, false, true, true]);
        assert!(matches!(outcomes[2], Outcome::Refused(_)));
    }

    #[tokio::test]
    async fn after_a_limit_nothing_more_is_tried() {
        let tried = std::sync::atomic::AtomicU32::new(0);
        let calls = (0..5).map(|n| {
            let tried = &tried;
            async move {
                tried.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                if n == 1 { Err(Error::new(ErrorKind::RateLimited)) } else { Ok(Outcome::Done(())) }
            }
        });
        let outcomes = each(calls.collect(), 1, Outcome::from_error).await.unwrap();
        assert_eq!(tried.into_inner(), 2);
        assert!(outcomes[0].is_done() && matches!(outcomes[4], Outcome::NotTried(_)));
    }

    #[test]
    fn a_call_fails_as_a_whole_only_where_nothing_is_known_of_any_item() {
        let error = || Error::new(ErrorKind::Unavailable);
        assert!(whole::<()>(vec![Outcome::NotTried(error()), Outcome::NotTried(error())]).is_err());
        assert!(whole(vec![Outcome::NotTried(error()), Outcome::Done(())]).is_ok());
        assert!(whole::<()>(vec![]).is_ok());
    }
}
