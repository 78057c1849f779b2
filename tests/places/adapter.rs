/// This adapter.
pub const ADAPTER: crate::adapters::Adapter = crate::adapters::Adapter::new(
    "dummy",
    "dummy",
    &[crate::channel::CredentialPart::renewed(TOKEN, "Settings, API, token")],
    |opening| {
        let base = match &opening.base_url {
            Some(base) => base.clone(),
            None => "https://my-shop.example".parse()?,
        };
        Ok(std::sync::Arc::new(Dummy::new(
            &opening.client,
            opening.account.clone(),
            &opening.credentials,
            base,
        )?))
    },
);
