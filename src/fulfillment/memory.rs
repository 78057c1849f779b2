//! A centre that lives in memory: for examples and tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    CentreShipment, FulfillmentCenter, GivenTracking, Instruction, ShipmentPage, StockLevel, TakeTracking,
};
use crate::channel::{Outcome, Refusal, Tracking};
use crate::error::Result;
use crate::model::{AccountId, OrderId, Sku};

/// A fulfilment centre in memory. It remembers every instruction by its key, ships when told to, and takes the
/// pieces from its shelves when a parcel leaves.
#[derive(Debug, Default)]
pub struct MemoryCentre(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    shelves: BTreeMap<Sku, u32>,
    instructions: BTreeMap<String, Instructed>,
    /// How often each key came in, to prove that nothing was packed twice.
    received: BTreeMap<String, u32>,
    shipments: Vec<(AccountId, CentreShipment)>,
    /// The numbers that channels gave, by parcel.
    given: BTreeMap<String, Tracking>,
}

#[derive(Debug, Clone)]
struct Instructed {
    account: AccountId,
    order: OrderId,
    items: Vec<(Sku, u32)>,
    shipped: bool,
}

impl MemoryCentre {
    /// A centre with nothing on its shelves.
    pub fn new() -> Self {
        Self::default()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts this many pieces on the shelf, replacing what was there; from then on the SKU is stocked.
    pub fn set_on_hand(&self, sku: impl Into<Sku>, pieces: u32) {
        self.inside().shelves.insert(sku.into(), pieces);
    }

    /// Packs and ships everything that was instructed and has not left, one parcel an order, with tracking numbers
    /// counted up from the carrier's name.
    pub fn ship_all(&self, carrier: &str, at: DateTime<Utc>) -> usize {
        self.ship(Some(carrier), at)
    }

    /// Packs and ships as [`MemoryCentre::ship_all`], without numbers: the channel's own logistics gives them.
    pub fn ship_all_unnumbered(&self, at: DateTime<Utc>) -> usize {
        self.ship(None, at)
    }

    fn ship(&self, carrier: Option<&str>, at: DateTime<Utc>) -> usize {
        let mut inside = self.inside();
        let waiting: Vec<(String, Instructed)> = inside
            .instructions
            .iter()
            .filter(|(_, i)| !i.shipped)
            .map(|(key, i)| (key.clone(), i.clone()))
            .collect();
        for (key, instructed) in &waiting {
            let number = format!("{:012}", 400_000_000_000_u64 + inside.shipments.len() as u64);
            let tracking = carrier.map(|carrier| Tracking::new(carrier, number));
            let shipment = CentreShipment::whole(key.clone(), instructed.order.clone(), tracking, at);
            for (sku, pieces) in &instructed.items {
                if let Some(on_hand) = inside.shelves.get_mut(sku) {
                    *on_hand = on_hand.saturating_sub(*pieces);
                }
            }
            inside.shipments.push((instructed.account.clone(), shipment));
            if let Some(stored) = inside.instructions.get_mut(key) {
                stored.shipped = true;
            }
        }
        waiting.len()
    }

    /// The keys of all instructions, with how often each was received: more than once is a repeat that packed
    /// nothing.
    pub fn received(&self) -> BTreeMap<String, u32> {
        self.inside().received.clone()
    }

    /// The numbers that channels gave, by the id of the parcel.
    pub fn given(&self) -> BTreeMap<String, Tracking> {
        self.inside().given.clone()
    }

    /// How many parcels were packed for different instructions.
    pub fn instructed(&self) -> usize {
        self.inside().instructions.len()
    }
}

#[async_trait]
impl FulfillmentCenter for MemoryCentre {
    fn name(&self) -> &str {
        "memory centre"
    }

    async fn stock_levels(&self, skus: &[Sku]) -> Result<Vec<StockLevel>> {
        let inside = self.inside();
        Ok(skus
            .iter()
            .map(|sku| StockLevel { sku: sku.clone(), on_hand: inside.shelves.get(sku).copied() })
            .collect())
    }

    async fn instruct(&self, instructions: &[Instruction<'_>]) -> Result<Vec<Outcome<()>>> {
        let mut inside = self.inside();
        let mut outcomes = Vec::with_capacity(instructions.len());
        for instruction in instructions {
            *inside.received.entry(instruction.key.clone()).or_default() += 1;
            if inside.instructions.contains_key(&instruction.key) {
                outcomes.push(Outcome::AlreadyDone);
                continue;
            }
            if let Some(item) = instruction.items.iter().find(|item| !inside.shelves.contains_key(&item.sku))
            {
                outcomes.push(Outcome::Refused(Refusal::new(
                    "unknown_sku",
                    format!("{} is not stocked", item.sku),
                )));
                continue;
            }
            inside.instructions.insert(
                instruction.key.clone(),
                Instructed {
                    account: instruction.account.clone(),
                    order: instruction.order.id.clone(),
                    items: instruction.items.iter().map(|item| (item.sku.clone(), item.quantity)).collect(),
                    shipped: false,
                },
            );
            outcomes.push(Outcome::Done(()));
        }
        Ok(outcomes)
    }

    async fn shipments(&self, account: &AccountId, since: Option<&str>) -> Result<ShipmentPage> {
        let inside = self.inside();
        let from = since.and_then(|cursor| cursor.parse::<usize>().ok()).unwrap_or(0);
        let shipments = inside
            .shipments
            .iter()
            .skip(from)
            .filter(|(owner, _)| owner == account)
            .map(|(_, shipment)| shipment.clone())
            .collect();
        Ok(ShipmentPage { shipments, cursor: Some(inside.shipments.len().to_string()), more: false })
    }

    fn take_tracking(&self) -> Option<&dyn TakeTracking> {
        Some(self)
    }
}

#[async_trait]
impl TakeTracking for MemoryCentre {
    async fn take(&self, parcels: &[GivenTracking<'_>]) -> Result<Vec<Outcome<()>>> {
        let mut inside = self.inside();
        Ok(parcels
            .iter()
            .map(|parcel| match inside.given.insert(parcel.parcel.to_owned(), parcel.tracking.clone()) {
                Some(known) if known == *parcel.tracking => Outcome::AlreadyDone,
                _ => Outcome::Done(()),
            })
            .collect())
    }
}
