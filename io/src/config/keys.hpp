// SPDX-License-Identifier: Apache-2.0
// What the parts of the configuration share: values from texts, checks against keys, values as TOML.
#pragma once

#include <string>
#include <string_view>

#include "stembridge/io/config.hpp"

namespace stembridge::io {

/// A value written outside a file (a default, an option): texts without quotes, lists with or without
/// brackets.
/// @throw InputError when it is malformed
Value value_from_text(const Key& key, const std::string& text, const std::string& where);

/// @throw InputError unless the value is of the key's kind and inside its limits
void check_value(const Key& key, const Value& value);

/// A value as it stands in a TOML file.
std::string to_toml(const Value& value);

/// A key as it stands in a TOML file: bare where it can be.
std::string toml_key(const std::string& key);

/// A TOML value alone, e.g. "[[1, 2], [3, 4]]". @throw InputError when malformed
Value parse_toml_value(const std::string& text, const std::string& where);

}  // namespace stembridge::io
