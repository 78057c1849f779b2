//! What must not show: secrets and personal data in logs, errors and Debug.

use tracing::Dispatch;
use tracing::subscriber::set_default;

use super::kit::{Checked, Kit, ensure};
use super::logs::Logs;
use super::operations::Op;
use super::wire::Fault;
use super::{Login, Stop};
use crate::channel::OrderQuery;

/// Every operation once, as `trouble` has it; the texts of what comes out are handed to `look`.
async fn tour(kit: &Kit, fault: Option<&Fault>, look: impl Fn(&str, &str) -> Checked) -> Checked {
    for op in Op::ALL {
        let healthy = kit.good().await?;
        let subject = match op.subject(kit, &healthy).await {
            Err(Stop::NotApplicable(_)) => continue,
            subject => subject?,
        };
        let shop = kit.good().await?;
        if let Some(fault) = fault {
            shop.wire.strike(0, usize::MAX, fault.clone());
        }
        let end = op.run(kit, &shop, &subject).await?;
        look(&format!("the result of {op:?}"), &format!("{end:?}"))?;
        if let Some(error) = end.error() {
            look(&format!("the error of {op:?}"), &format!("{error}"))?;
        }
    }
    Ok(())
}

/// Logs hold neither secrets nor personal data, whether all goes well or not.
pub async fn logs_hold_no_secrets_and_no_personal_data(kit: &Kit) -> Checked {
    let logs = kit.logs.clone();
    // With one subscriber alone, tracing asks the thread that first comes by an event whether anybody listens, and keeps its
    // no: tests on other threads would switch events off. With two it asks both.
    let _second = Dispatch::new(Logs::default());
    let _guard = set_default(logs.clone());
    tour(kit, None, |_, _| Ok(())).await?;
    for fault in [Fault::status(500, "application/json", "{}"), Fault::NoAnswer, Fault::Half, Fault::CutBody]
    {
        tour(kit, Some(&fault), |_, _| Ok(())).await?;
    }
    for login in [Login::Wrong, Login::Expired] {
        if let Ok(shop) = kit.login(login).await {
            let _ = shop.channel.test(&kit.cx()).await;
        }
    }
    ensure!(logs.text().contains("http"), "nothing was logged: the capture does not work");
    kit.keeps_quiet("the log", &logs.text())
}

/// Debug of the adapter, of orders and pages shows neither secrets nor personal data.
pub async fn debug_shows_no_secrets_and_no_personal_data(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = kit.new_order(&shop).await?;
    kit.keeps_quiet("Debug of the adapter", &format!("{:?} {:#?}", shop.channel, shop.channel))?;
    kit.keeps_quiet("Debug of an order", &format!("{order:?}"))?;
    let query = OrderQuery::window(kit.lately());
    let page = shop.channel.orders().fetch(&kit.cx(), &query, None).await;
    kit.keeps_quiet("Debug of a page", &format!("{page:?}"))?;
    if let Some(credentials) = shop.channel.credentials() {
        kit.keeps_quiet("Debug of credentials", &format!("{:?}", credentials.current().await))?;
    }
    Ok(())
}

/// Results and errors show neither secrets nor personal data, whatever goes wrong.
pub async fn results_and_errors_show_no_secrets_and_no_personal_data(kit: &Kit) -> Checked {
    for fault in [None, Some(Fault::Half), Some(Fault::status(500, "text/html", "<html></html>"))] {
        tour(kit, fault.as_ref(), |what, text| kit.keeps_quiet(what, text)).await?;
    }
    Ok(())
}

/// A channel that repeats a key in its error text does not get it into ours.
pub async fn a_secret_in_the_channels_error_text_is_dropped(kit: &Kit) -> Checked {
    kit.harness.error_answer("no")?;
    let mut told = 0;
    for op in Op::ALL {
        let healthy = kit.good().await?;
        let subject = match op.subject(kit, &healthy).await {
            Err(Stop::NotApplicable(_)) => continue,
            subject => subject?,
        };
        let shop = kit.good().await?;
        shop.wire.strike(0, usize::MAX, Fault::Echo);
        let end = op.run(kit, &shop, &subject).await?;
        let mut text = format!("{end:?}");
        if let Some(error) = end.error() {
            text.push_str(&error.to_string());
        }
        let secrets = shop.wire.echoed();
        told += secrets.len();
        for secret in secrets {
            ensure!(!text.contains(&secret), "the channel told a secret back, and {op:?} passes it on");
        }
    }
    ensure!(told > 0, "no request had a secret in it: name them in Harness::secrets");
    Ok(())
}

/// Errors hold no addresses: keys and signatures travel in queries.
pub async fn errors_hold_no_addresses(kit: &Kit) -> Checked {
    tour(kit, Some(&Fault::NoAnswer), |what, text| {
        ensure!(!text.contains("http://") && !text.contains("https://"), "{what} shows an address");
        Ok(())
    })
    .await
}
