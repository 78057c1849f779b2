"""Ecwid: PyPI pyecwid, a stranger's client, pointed here by its `base_url`. It sends the token in the address, as old clients do.

requires: pyecwid==0.1.1
"""

import json
import sys
import urllib.request

from pyecwid import Ecwid

# This client takes only ids that are numbers: internal ones.
line = json.loads(sys.argv[1])
face = line["faces"]["ecwid"]
base, login, control = face["base_url"], face["credentials"], line["control"]


def switch(path, body):
    request = urllib.request.Request(f"{control}/faces/ecwid/control/{path}", json.dumps(body).encode(), method="PUT")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request).close()


def client(token):
    return Ecwid(token, login["store_id"], base_url=base + "/api/v3/{0}/")


def refused(token):
    try:
        client(token)
    except Exception as error:
        return "403" in str(error)
    return False


assert refused(login["access_token"]), "a token in the address is taken without the switch"
switch("settings", {"query_tokens": True})
assert refused("secret_wrong"), "a wrong token is let in"
shop = client(login["access_token"])

orders = shop.orders.get()
assert len(orders) == 5, len(orders)
order = shop.orders.get_by_id(orders[0]["internalId"])
assert order["id"] == orders[0]["id"] and order["items"], order

done = shop.orders.update(order["internalId"], {"fulfillmentStatus": "PROCESSING"})
assert done.json() == {"updateCount": 1}, done.text
done = shop.orders.update(order["internalId"], {"trackingNumber": "1Z999", "fulfillmentStatus": "SHIPPED"})
assert done.json() == {"updateCount": 1}, done.text
sent = shop.orders.get_by_id(order["internalId"])
assert (sent["fulfillmentStatus"], sent["trackingNumber"]) == ("SHIPPED", "1Z999"), sent

done = shop.orders.update(orders[1]["internalId"], {"paymentStatus": "CANCELLED"})
assert done.json() == {"updateCount": 1}, done.text
assert shop.orders.get_by_id(orders[1]["internalId"])["paymentStatus"] == "CANCELLED"
done = shop.orders.update("1", {"paymentStatus": "PAID"})
assert (done.status_code, done.json()["errorCode"]) == (404, "ORDER_NOT_FOUND"), done.text

products = shop.products.get()
mug = next(product for product in products if product["sku"] == "MUG-03")
done = shop.products.update(mug["id"], {"quantity": 7})
assert done.json() == {"updateCount": 1}, done.text
assert shop.products.get_by_id(mug["id"])["quantity"] == 7
