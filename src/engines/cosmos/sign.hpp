// Decides how a request proves that it may: the signature of the REST reference ("Access control on Azure Cosmos DB resources"). Pure.
#pragma once

#include <leasehold/config.hpp>

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::cosmos {

/// The value of the header `authorization`. `key`: the master key, decoded. `date`: that of `x-ms-date`. `link` names the resource
/// ("dbs/d/colls/c/docs/i"), or for what is made or listed in a resource that resource ("dbs/d/colls/c").
[[nodiscard]] std::string authorization(std::string_view key, std::string_view verb, std::string_view type,
                                        std::string_view link, std::string_view date);

}  // namespace leasehold::inline v0_1::cosmos
