// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "config/keys.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::io {
namespace {

[[noreturn]] void throw_wrong_type(const Value& value, std::string_view expected) {
    throw InputError(fmt::format("{} is {}, expected {}", value.where(), value.description(), expected));
}

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            result += {'\\', c};
        else if (c == '\n')
            result += "\\n";
        else if (c == '\t')
            result += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            result += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else
            result += c;
    }
    return result + '"';
}

}  // namespace

bool Value::boolean() const {
    if (const auto* value = std::get_if<bool>(&content_)) return *value;
    throw_wrong_type(*this, "true or false");
}

std::int64_t Value::integer() const {
    if (const auto* value = std::get_if<std::int64_t>(&content_)) return *value;
    throw_wrong_type(*this, "an integer");
}

double Value::number() const {
    if (const auto* value = std::get_if<std::int64_t>(&content_)) return static_cast<double>(*value);
    if (const auto* value = std::get_if<double>(&content_)) return *value;
    throw_wrong_type(*this, "a number");
}

const std::string& Value::text() const {
    if (const auto* value = std::get_if<std::string>(&content_)) return *value;
    throw_wrong_type(*this, "a text in quotes");
}

const Value::List& Value::list() const {
    if (const auto* value = std::get_if<List>(&content_)) return *value;
    throw_wrong_type(*this, "a list");
}

const Value::Table& Value::table() const {
    if (const auto* value = std::get_if<Table>(&content_)) return *value;
    throw_wrong_type(*this, "a table");
}

std::vector<double> Value::numbers() const {
    std::vector<double> result;
    for (const Value& value : list()) result.push_back(value.number());
    return result;
}

std::string Value::description() const {
    if (is_text()) return fmt::format("the text {}", quoted(text()));
    if (is_boolean()) return boolean() ? "true" : "false";
    if (is_list()) return fmt::format("a list of {}", list().size());
    if (is_table()) return "a table";
    return fmt::format("the {} {}", is_integer() ? "integer" : "number", to_toml(*this));
}

std::string toml_key(const std::string& key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
    return bare ? key : quoted(key);
}

std::string to_toml(const Value& value) {
    if (value.is_boolean()) return value.boolean() ? "true" : "false";
    if (value.is_integer()) return std::to_string(value.integer());
    if (value.is_text()) return quoted(value.text());
    std::string text;
    if (value.is_list()) {
        for (const Value& item : value.list()) text += (text.empty() ? "" : ", ") + to_toml(item);
        return "[" + text + "]";
    }
    if (value.is_table()) {
        for (const auto& [key, item] : value.table())
            text += fmt::format("{}{} = {}", text.empty() ? " " : ", ", toml_key(key), to_toml(item));
        return "{" + text + (text.empty() ? "}" : " }");
    }
    text = fmt::format("{}", value.number());
    // A number without point or exponent would be read back as an integer.
    if (text.find_first_of(".en") == std::string::npos) text += ".0";
    return text;
}

}  // namespace stembridge::io
