# requires: requests-oauthlib==2.0.0 cryptography==50.0.2 xmltodict==1.0.4
"""General clients of the parts against the sandbox: OAuth 2 by requests-oauthlib, the signature by OpenSSL (cryptography), XML by
xmltodict. A client of the store API itself that could be used was found in no registry: see README.md.
"""

import base64
import datetime
import json
import os
import sys
import time
from urllib.parse import parse_qs, urlsplit

import requests
import xmltodict
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from oauthlib.oauth2 import InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

# oauthlib wants https, and the sandbox is on loopback.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"

start = json.loads(sys.argv[1])
face = start["faces"]["yahoo_shopping"]
base, credentials = face["base_url"], face["credentials"]
seller = credentials["seller_id"]
secret = HTTPBasicAuth(credentials["client_id"], credentials["client_secret"])

# Consent, code, tokens, refresh.
session = OAuth2Session(
    credentials["client_id"], redirect_uri="https://client.example.org/cb", scope=["openid", "profile"]
)
page, state = session.authorization_url(base + "/yconnect/v2/authorization", bail="1")
back = requests.get(page, allow_redirects=False).headers["location"]
assert parse_qs(urlsplit(back).query)["state"] == [state], back
tokens = session.fetch_token(base + "/yconnect/v2/token", authorization_response=back, auth=secret)
assert tokens["expires_in"] == 3600 and tokens["refresh_token"], tokens
first = tokens["access_token"]
refreshed = session.refresh_token(base + "/yconnect/v2/token", refresh_token=tokens["refresh_token"], auth=secret)
assert refreshed["access_token"] != first
try:
    session.refresh_token(base + "/yconnect/v2/token", refresh_token="unknown", auth=secret)
    raise AssertionError("an unknown refresh token was taken")
except InvalidGrantError:
    pass
session.token = refreshed

key = load_pem_public_key(credentials["public_key"].encode())


def signature():
    value = f"{seller}:{int(time.time())}".encode()
    return {
        "X-sws-signature": base64.b64encode(key.encrypt(value, padding.PKCS1v15())).decode(),
        "X-sws-signature-version": credentials["public_key_version"],
    }


def method(name):
    return f"{base}/ShoppingWebService/V1/{name}"


def read(response):
    return xmltodict.parse(response.content, force_list=("OrderInfo", "Item", "SubCode", "Option"))


def order_call(name, request, status=200):
    body = xmltodict.unparse({"Req": {**request, "SellerId": seller}})
    headers = {"Content-Type": "application/xml; charset=UTF-8", **signature()}
    response = session.post(method(name), data=body.encode(), headers=headers)
    assert response.status_code == status, response.text
    if name in ("orderList", "orderInfo", "orderChange"):
        assert response.headers["X-SWS-Authorize-Status"] == "authorized", response.headers
    return read(response)


# List and details.
japan = datetime.timezone(datetime.timedelta(hours=9))
day_ago = datetime.datetime.now(japan) - datetime.timedelta(days=1)
search = {
    "Result": 2000,
    "Start": 1,
    "Sort": "+order_time",
    "Condition": {
        "OrderTimeFrom": day_ago.strftime("%Y%m%d%H%M%S"),
        "ReadOnlyMode": 2,
        "FraudHoldDisplayType": 1,
    },
    "Field": "OrderId,OrderTime,OrderStatus,IsSeen,PayStatus,ShipStatus",
}
listed = order_call("orderList", {"Search": search})["Result"]["Search"]
assert listed["TotalCount"] == "5" and len(listed["OrderInfo"]) == 5, listed
assert all(row["IsSeen"] == "false" and row["OrderStatus"] == "2" for row in listed["OrderInfo"])
order, other = listed["OrderInfo"][0]["OrderId"], listed["OrderInfo"][1]["OrderId"]


def info(order_id):
    fields = "OrderId,IsSeen,OrderStatus,CancelReason,PayStatus,BillLastName,ShipStatus,ShipInvoiceNumber1,ShipCompanyCode"
    fields += ",ShipLastName,ShipZipCode,ShipCharge,Discount,TotalPrice,LineId,ItemId,SubCode,Title,UnitPrice,Quantity"
    answer = order_call("orderInfo", {"Target": {"OrderId": order_id, "Field": fields}})
    (row,) = answer["ResultSet"]["Result"]["OrderInfo"]
    return row


detail = info(order)
assert detail["OrderId"] == order and detail["Ship"]["ShipLastName"] and detail["Item"][0]["Title"], detail
goods = sum(int(item["UnitPrice"]) * int(item["Quantity"]) for item in detail["Item"])
sums = detail["Detail"]
assert int(sums["TotalPrice"]) == goods + int(sums["ShipCharge"]) - int(sums["Discount"]), detail
unknown = order_call(
    "orderInfo", {"Target": {"OrderId": f"{seller}-1", "Field": "OrderId"}}, status=404
)
assert unknown["Error"]["Code"] == "od91801", unknown

# Confirm, ship, cancel.
seen = order_call("orderChange", {"Target": {"OrderId": order}, "Order": {"IsSeen": "true"}})
assert seen["ResultSet"]["Result"]["Status"] == "OK" and info(order)["IsSeen"] == "true"
parcel = {"ShipStatus": 3, "ShipCompanyCode": 1001, "ShipInvoiceNumber1": "1234-5678-9012"}
shipping = {"Target": {"OrderId": order, "IsPointFix": "true"}, "Order": {"Ship": parcel}}
order_call("orderShipStatusChange", shipping)
detail = info(order)
assert detail["Ship"]["ShipStatus"] == "3" and detail["Ship"]["ShipInvoiceNumber1"] == "1234-5678-9012", detail
assert order_call("orderShipStatusChange", shipping, status=400)["Error"]["Code"]
cancel = {"OrderStatus": 4, "CancelReason": 210}
order_call("orderStatusChange", {"Target": {"OrderId": other, "IsPointFix": "false"}, "Order": cancel})
assert info(other)["OrderStatus"] == "4" and info(other)["CancelReason"] == "210"
count = read(session.get(method("orderCount"), params={"sellerId": seller}))
assert count["ResultSet"]["Result"]["Count"]["NewOrder"] == "3", count

# Listings and stock.
query = {"seller_id": seller, "query": "TEE", "stock": "true"}
item = read(session.get(method("myItemList"), params=query))["ResultSet"]["Result"]
assert item["ItemCode"] == "TEE-01" and item["HasSubCode"] == "1", item
item = read(session.get(method("getItem"), params={"seller_id": seller, "item_code": "TEE-01"}))
codes = [sub["@code"] for sub in item["ResultSet"]["Result"]["SubCodes"]["SubCode"]]
assert len(codes) == 6, item
code = f"TEE-01:{codes[0]}"
stock = {"seller_id": seller, "item_code": code}
answer = session.post(method("setStock"), data={**stock, "quantity": "17", "allow_overdraft": "0"})
assert answer.status_code == 200 and read(answer)["ResultSet"]["Result"]["Quantity"] == "17", answer.text
answer = read(session.post(method("getStock"), data=stock))["ResultSet"]["Result"]
assert answer["Status"] == "1" and answer["Quantity"] == "17", answer
answer = session.post(method("setStock"), data={**stock, "item_code": f"{code},CAP-02", "quantity": "1,x"})
assert answer.status_code == 207 and "st-02104" in answer.text, answer.text
