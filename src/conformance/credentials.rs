//! Credentials: wrong ones, ended ones, new ones; and the connection test.

use super::kit::{Checked, Kit, OrFail, ensure, failed, not_applicable, told};
use super::operations::Op;
use super::{Login, Stop};
use crate::channel::{Capabilities, CapabilityCheck};
use crate::error::ErrorKind;

/// Every operation with credentials that are no good: the kind says so, it is final, and nothing is changed.
async fn refused(kit: &Kit, login: Login, kinds: &[ErrorKind]) -> Checked {
    let mut tried = 0;
    for op in Op::ALL {
        let healthy = kit.good().await?;
        let subject = match op.subject(kit, &healthy).await {
            Err(Stop::NotApplicable(_)) => continue,
            subject => subject?,
        };
        // Replacing proves the new credentials, not the old ones.
        if op == Op::Replace {
            continue;
        }
        let shop = kit.login(login).await?;
        let before = kit.harness.changes();
        let end = op.run(kit, &shop, &subject).await?;
        let sent = shop.wire.seen().len();
        if sent == 0 && end.is_done() {
            continue;
        }
        tried += 1;
        ensure!(!end.is_done(), "{op:?} is said to be done with {login:?} credentials");
        let text = end.error().map(told).unwrap_or_else(|| format!("{end:?}"));
        ensure!(
            end.kind().is_some_and(|kind| kinds.contains(&kind)),
            "{op:?} with {login:?} credentials: {text}"
        );
        ensure!(!end.is_temporary(), "{op:?} with {login:?} credentials is said to be temporary: {text}");
        ensure!(
            !end.is_unknown(),
            "{op:?} with {login:?} credentials is said to be of unknown outcome: {text}"
        );
        ensure!(kit.harness.changes() == before, "{op:?} changed something with {login:?} credentials");
        ensure!(sent <= 3, "{op:?} was sent {sent} times with {login:?} credentials");
        kit.keeps_quiet(&format!("the error of {op:?}"), &text)?;
    }
    if tried == 0 { failed("no operation was tried") } else { Ok(()) }
}

/// Wrong credentials are told as such by every operation, and nobody hammers on.
pub async fn wrong_credentials_are_told(kit: &Kit) -> Checked {
    refused(kit, Login::Wrong, &[ErrorKind::Unauthorized]).await
}

/// Credentials that have ended are told as such, apart from wrong ones.
pub async fn expired_credentials_are_told(kit: &Kit) -> Checked {
    refused(kit, Login::Expired, &[ErrorKind::CredentialExpired]).await
}

/// The connection test names each capability that the adapter hands out, and no other (CT-1).
pub async fn the_connection_test_names_every_capability(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let before = kit.harness.changes();
    let report = shop.channel.test(&kit.cx()).await.or_fail("testing the connection")?;
    let mut named: Vec<_> = report.capabilities.iter().map(|(capability, _)| *capability).collect();
    named.sort();
    let handed: Vec<_> = Capabilities::of(shop.channel.as_ref()).iter().collect();
    ensure!(named == handed, "the test names {named:?}; the adapter hands out {handed:?}");
    ensure!(report.is_complete(), "good credentials are denied something: {report:?}");
    ensure!(kit.harness.changes() == before, "the connection test changed something");
    ensure!(!shop.wire.seen().is_empty(), "the connection test asks nobody");
    let proved = report.capabilities.iter().any(|(_, check)| *check == CapabilityCheck::Allowed);
    ensure!(proved, "the connection test proves nothing");
    Ok(())
}

/// New credentials that are wrong are refused, and the old ones stay in use (KE-3).
pub async fn wrong_new_credentials_leave_the_old_ones(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let Some(renew) = shop.channel.credentials() else {
        return not_applicable("credentials are not replaced");
    };
    let old = renew.current().await;
    let wrong = kit.harness.wrong_credentials()?;
    ensure!(renew.replace(&kit.cx(), &wrong).await.is_err(), "wrong credentials are taken for good ones");
    ensure!(renew.current().await == old, "refused credentials are in use");
    kit.orders(&shop, kit.lately()).await?;
    Ok(())
}

/// New credentials are in use at once, and can be read back.
pub async fn new_credentials_are_used_at_once(kit: &Kit) -> Checked {
    let shop = kit.login(Login::Expired).await?;
    let Some(renew) = shop.channel.credentials() else {
        return not_applicable("credentials are not replaced");
    };
    let fresh = kit.harness.fresh_credentials().await?;
    renew.replace(&kit.cx(), &fresh).await.or_fail("replacing credentials")?;
    ensure!(renew.current().await.parts == fresh.parts, "other credentials are in use than were given");
    kit.orders(&shop, kit.lately()).await?;
    Ok(())
}

/// The parts that are asked for are the parts that are there.
pub async fn the_parts_of_the_credentials_are_named(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let Some(renew) = shop.channel.credentials() else {
        return not_applicable("credentials are not replaced");
    };
    let current = renew.current().await;
    ensure!(!renew.parts().is_empty(), "no part of the credentials is named");
    for part in renew.parts() {
        ensure!(!part.help.trim().is_empty(), "nobody learns where to find {}", part.name);
    }
    let named = renew.parts().iter().any(|part| current.get(part.name).is_some());
    ensure!(named, "none of the named parts is in the credentials");
    Ok(())
}

/// Reading when credentials end changes nothing, and is an answer or an error.
pub async fn the_expiry_is_read_or_not_known(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let Some(renew) = shop.channel.credentials() else {
        return not_applicable("credentials are not replaced");
    };
    let end = renew.expiry(&kit.cx()).await.or_fail("reading the expiry")?;
    if let Some(end) = end {
        ensure!(end > kit.harness.now(), "good credentials are said to have ended at {end}");
    }
    Ok(())
}

/// What the adapter says of the channel holds together.
pub async fn the_channels_description_holds_together(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let info = shop.channel.info();
    let id = info.id.as_str();
    let plain =
        !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    ensure!(plain, "the id {id:?} is not lower case, digits and underscores");
    for name in [info.name.en, info.name.ja, info.name.ko] {
        ensure!(!name.trim().is_empty(), "a name of the channel is empty");
    }
    ensure!(!info.currencies.is_empty(), "the channel names no currency");
    ensure!(!info.max_window.is_zero(), "the longest window is empty");
    ensure!(
        info.read_batch > 0 && info.confirm_batch > 0 && info.dispatch_batch > 0 && info.stock_batch > 0,
        "a batch size is 0"
    );
    ensure!(info.stock_range.0 <= info.stock_range.1, "the range of quantities is upside down");
    ensure!(!info.statuses.is_empty(), "the channel's statuses are not listed");
    let mut words: Vec<_> = info.statuses.iter().map(|mapping| mapping.channel).collect();
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    ensure!(words.len() == count, "a status of the channel is mapped twice");
    ensure!(info.documentation.starts_with("https://"), "nobody learns where the API is described");
    Ok(())
}
