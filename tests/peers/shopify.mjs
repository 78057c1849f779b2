// Shopify's own clients against its face: tokens, orders page by page, dispatch, stock, webhooks.
// requires: @shopify/admin-api-client@2.0.0 @shopify/shopify-api@13.1.0

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PEER_MODULES}/`);
const { createAdminApiClient } = require("@shopify/admin-api-client");
require("@shopify/shopify-api/adapters/web-api");
const { shopifyApi, LogSeverity } = require("@shopify/shopify-api");
const { setAbstractFetchFunc } = require("@shopify/shopify-api/runtime");

// Both speak https to the shop's domain only, but let the function be set that fetches.
const start = JSON.parse(process.argv[2]);
const { base_url: base, credentials } = start.faces.shopify;
const toSandbox = (url, options) => fetch(base + new URL(url).pathname, options);
setAbstractFetchFunc(toSandbox);

const api = shopifyApi({
  apiKey: credentials.client_id,
  apiSecretKey: credentials.client_secret,
  scopes: [],
  hostName: 'localhost',
  apiVersion: '2026-07',
  isEmbeddedApp: false,
  isTesting: true,
  logger: { level: LogSeverity.Error },
});

// Tokens: client credentials, and a refresh that rotates.
const own = (await api.auth.clientCredentials({ shop: credentials.shop })).session;
assert.equal(own.isExpired(), false);
assert.ok(own.scope.includes('write_inventory'));
const refresh = async (refreshToken) =>
  (await api.auth.refreshToken({ shop: credentials.shop, refreshToken })).session;
const first = await refresh(credentials.refresh_token);
const second = await refresh(first.refreshToken);
assert.notEqual(second.refreshToken, first.refreshToken);
await assert.rejects(refresh(credentials.refresh_token), 'the first one has been replaced and is dead');

const client = (accessToken) =>
  createAdminApiClient({
    storeDomain: credentials.shop,
    apiVersion: credentials.api_version,
    accessToken,
    customFetchApi: toSandbox,
    isTesting: true,
    logger: () => {},
  });
const admin = client(second.accessToken);
const ask = async (query, variables) => {
  const answer = await admin.request(query, { variables });
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  assert.ok(answer.extensions.cost.actualQueryCost >= 0);
  return answer.data;
};

const { shop } = await ask('{ shop { myshopifyDomain currencyCode ianaTimezone } }');
assert.deepEqual(shop, {
  myshopifyDomain: credentials.shop,
  currencyCode: 'JPY',
  ianaTimezone: 'Asia/Tokyo',
});

// Orders, two at a time.
const ORDERS = `query ($after: String) {
  orders(first: 2, after: $after, query: "status:open", sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id displayFulfillmentStatus shippingAddress { name provinceCode }
      totalPriceSet { shopMoney { amount currencyCode } }
      lineItems(first: 10) { nodes { id sku quantity variant { inventoryItem { id } } } }
      fulfillmentOrders(first: 5) { nodes { id status lineItems(first: 10) { nodes { id remainingQuantity } } } }
    }
  }
}`;
const orders = [];
for (let after = null, more = true; more; ) {
  const page = (await ask(ORDERS, { after })).orders;
  orders.push(...page.nodes);
  ({ hasNextPage: more, endCursor: after } = page.pageInfo);
}
assert.equal(orders.length, 5);
assert.equal(new Set(orders.map((order) => order.id)).size, 5);
for (const order of orders) {
  assert.equal(order.displayFulfillmentStatus, 'UNFULFILLED');
  assert.ok(order.lineItems.nodes.every((line) => line.quantity > 0 && line.variant));
  assert.match(order.shippingAddress.provinceCode, /^JP-\d\d$/);
}

// Dispatch.
const FULFILL = `mutation ($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status trackingInfo(first: 1) { number } } userErrors { field message }
  }
}`;
const fulfillment = {
  lineItemsByFulfillmentOrder: [{ fulfillmentOrderId: orders[0].fulfillmentOrders.nodes[0].id }],
  trackingInfo: { company: 'Yamato (JA)', number: '123456789012' },
  notifyCustomer: false,
};
const made = (await ask(FULFILL, { fulfillment })).fulfillmentCreate;
assert.deepEqual(made.userErrors, []);
assert.equal(made.fulfillment.trackingInfo[0].number, '123456789012');
assert.equal((await ask(FULFILL, { fulfillment })).fulfillmentCreate.userErrors.length, 1);

// Stock, compared and set under a key; through the other client.
const VARIANTS = `{ productVariants(first: 50, query: "product_status:active") { nodes {
  sku inventoryItem { id inventoryLevels(first: 1) { nodes { location { id } quantities(names: ["available"]) { quantity } } } }
} } }`;
const graphql = new api.clients.Graphql({ session: second });
const variants = (await graphql.request(VARIANTS)).data.productVariants.nodes;
assert.ok(variants.length >= 6);
const { inventoryItem } = variants[0];
const level = inventoryItem.inventoryLevels.nodes[0];
const SET = `mutation ($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { code } }
}`;
const set = async (changeFromQuantity, quantity) => {
  const row = { inventoryItemId: inventoryItem.id, locationId: level.location.id, quantity, changeFromQuantity };
  const input = { name: 'available', reason: 'correction', quantities: [row] };
  const answer = await graphql.request(SET, { variables: { input, key: randomUUID() } });
  return answer.data.inventorySetQuantities.userErrors.map((error) => error.code);
};
const before = level.quantities[0].quantity;
assert.deepEqual(await set(before, before + 5), []);
assert.deepEqual(await set(before, before + 9), ['CHANGE_FROM_QUANTITY_STALE']);

// Refusals reach the clients as such.
const refused = await client(credentials.expired_access_token).request('{ shop { name } }');
assert.equal(refused.errors.networkStatusCode, 401);
const denied = await client(credentials.read_only_access_token).request(FULFILL, { variables: { fulfillment } });
assert.equal(denied.errors.graphQLErrors[0].extensions.code, 'ACCESS_DENIED');
const unknown = await admin.request('{ shop { nmae } }');
assert.equal(unknown.errors.graphQLErrors[0].extensions.code, 'undefinedField');

// Webhooks: the signature is theirs.
const number = orders[0].id.split('/').pop();
const call = await (
  await fetch(`${start.control}/faces/shopify/control/webhook?topic=orders/updated&order=${number}`)
).json();
const validate = (rawBody) =>
  api.webhooks.validate({
    rawBody,
    rawRequest: new Request('http://localhost/hooks', { method: 'POST', headers: call.headers, body: rawBody }),
  });
const valid = await validate(call.body);
assert.equal(valid.valid, true, JSON.stringify(valid));
assert.equal(valid.topic, 'ORDERS_UPDATED');
assert.equal(valid.domain, credentials.shop);
assert.equal((await validate(call.body.replace('"', ' "'))).valid, false);
assert.equal(JSON.parse(call.body).admin_graphql_api_id, orders[0].id);

const record = await (await fetch(`${start.control}/record`)).json();
const done = record.filter((event) => !event.refused).map((event) => event.action);
assert.equal(done.filter((action) => action === 'shipped').length, orders[0].lineItems.nodes.length);
assert.equal(done.filter((action) => action === 'quantity_set').length, 1);
console.log('5 orders read, 1 sent, stock set, webhook checked');
