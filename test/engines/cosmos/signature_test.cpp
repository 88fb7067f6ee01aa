// Decides that requests are signed as the service checks it: against the vectors of the standards and of the REST reference.
#include "engines/cosmos/base64.hpp"
#include "engines/cosmos/http_date.hpp"
#include "engines/cosmos/names.hpp"
#include "engines/cosmos/sign.hpp"
#include "engines/net/sha256.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace leasehold::test {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (char const c : bytes) {
    auto const b = static_cast<unsigned char>(c);
    out += {"0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
  }
  return out;
}

TEST(cosmos_signature, sha256_gives_the_digests_of_fips_180) {
  EXPECT_EQ(hex(net::sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(net::sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(net::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(net::sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(cosmos_signature, hmac_gives_the_results_of_rfc_4231) {
  EXPECT_EQ(hex(net::hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(net::hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(net::hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(cosmos_signature, a_request_is_signed_as_in_the_example_of_the_rest_reference) {
  auto const key =
      cosmos::from_base64("dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw==");
  ASSERT_TRUE(key);
  EXPECT_EQ(cosmos::authorization(*key, "GET", "dbs", "dbs/ToDoList", "Thu, 27 Apr 2017 00:51:12 GMT"),
            "type%3dmaster%26ver%3d1.0%26sig%3dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2bc%2bc%3d");
}

TEST(cosmos_signature, base64_round_trips_and_refuses_what_is_none) {
  for (std::string const text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(cosmos::from_base64(cosmos::to_base64(text)), text);
  }
  EXPECT_EQ(cosmos::to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(cosmos::to_base64("fooba"), "Zm9vYmE=");
  for (auto const* bad : {"Z", "Zm9v=", "Zm9vYmE", "Z===", "Zm=v", "Zm9 vYg", "=m9v", "Zm9vYm=="}) {
    EXPECT_EQ(cosmos::from_base64(bad).has_value(), std::string_view(bad) == "Zm9vYm==") << bad;
  }
}

TEST(cosmos_signature, dates_are_those_of_http) {
  EXPECT_EQ(cosmos::http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cosmos::read_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(cosmos::read_http_date(cosmos::http_date(4102444799)), 4102444799);
  for (auto const* bad :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 2020 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(cosmos::read_http_date(bad), 0) << bad;
  }
}

TEST(cosmos_names, NAME_1_ids_are_injective_and_hold_nothing_that_the_service_bans) {
  std::set<std::string> seen;
  for (std::string const name : {"a/b", "a~2Fb", "a\\b", "a?b", "a#b", "a%2Fb", "a b", "a+b", ".", "..", "...", ".a",
                                 "~2E", "\xC3\xA9", "e\xCC\x81", "~guard", "~doctor", "guard"}) {
    auto const id = cosmos::id_of(name);
    EXPECT_TRUE(seen.insert(id).second) << name;
    EXPECT_EQ(id.find_first_of("/\\?#% +"), std::string::npos) << id;
    EXPECT_NE(id, ".");
    EXPECT_NE(id, "..");
    EXPECT_NE(id, cosmos::guard_id);
    EXPECT_NE(id, cosmos::doctor_id);
  }
  EXPECT_EQ(cosmos::id_of("invoice-42"), "invoice-42");
  EXPECT_LE(cosmos::id_of(std::string(255, '/')).size(), 1023U);
}

}  // namespace
}  // namespace leasehold::test
