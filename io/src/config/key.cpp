// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "config/keys.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/nearest_word.hpp"
#include "structure/text.hpp"

namespace stembridge::io {
namespace {

Key make_key(Kind kind, std::string path, std::string standard, std::string meaning) {
    Key key;
    key.path = std::move(path);
    key.kind = kind;
    key.standard = std::move(standard);
    key.meaning = std::move(meaning);
    return key;
}

std::string_view last_part(std::string_view path) {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

[[noreturn]] void fail(const Value& value, const std::string& what) {
    throw InputError(fmt::format("{} is {}, {}", value.where(), value.description(), what));
}

void check_limits(const Key& key, const Value& place, double value) {
    if (!std::isfinite(value)) fail(place, "expected a finite number");
    if (key.above ? value <= key.least : value < key.least)
        fail(place, fmt::format("but must be {} {}", key.above ? "above" : "at least", key.least));
    if (value > key.most) fail(place, fmt::format("but must be at most {}", key.most));
}

void check_length(const Key& key, const Value& list) {
    if (key.length != 0 && list.list().size() != static_cast<std::size_t>(key.length))
        fail(list, fmt::format("expected a list of {}", key.length));
}

/// The number with the unit of the key's default; nothing where that has none.
std::string example_with_unit(const Key& key, const Value& number) {
    const auto blank = key.standard.find(' ');
    if (key.standard.starts_with('[') || blank == std::string::npos) return "";
    return fmt::format(": \"{}{}\"", to_toml(number), key.standard.substr(blank));
}

void check_quantity(const Key& key, const Value& value) {
    if (value.is_number())
        throw InputError(fmt::format(
            "{} is the bare number {}: a unit is needed, in quotes{}; accepted units: {}", value.where(),
            to_toml(value), example_with_unit(key, value), accepted_units(key.dimension)));
    double number = 0;
    try {
        number = parse_quantity(value.text(), key.dimension);
    } catch (const InputError& error) {
        if (!value.is_text()) throw;
        throw InputError(fmt::format("{}: {}", value.where(), error.what()));
    }
    check_limits(key, value, number);
}

/// Calls check for the value itself or, when it is a list, for each of its items.
template <class Check>
void for_one_or_each(const Value& value, const Check& check) {
    if (!value.is_list()) return check(value);
    if (value.list().empty()) fail(value, "expected at least one entry");
    for (const Value& item : value.list()) check(item);
}

std::string type_text(const Key& key) {
    std::string limits;
    if (std::isfinite(key.least))
        limits += fmt::format(", {} {}", key.above ? "above" : "at least", key.least);
    if (std::isfinite(key.most)) limits += fmt::format(", at most {}", key.most);
    const std::string length = key.length != 0 ? fmt::format("{} ", key.length) : "";
    const std::string units = accepted_units(key.dimension);
    std::string quoted_words = fmt::format("\"{}\"", fmt::join(key.words, "\", \""));
    switch (key.kind) {
        case Kind::quantity:
            return fmt::format("quantity in {}{}", units, limits);
        case Kind::quantities:
            return fmt::format("quantity or list of quantities in {}{}", units, limits);
        case Kind::integer:
            return "integer" + limits;
        case Kind::number:
            return "number" + limits;
        case Kind::boolean:
            return "true or false";
        case Kind::text:
            return "text";
        case Kind::choice:
            return quoted_words;
        case Kind::file:
            return "path";
        case Kind::files:
            return "path or list of paths" + (key.words.empty() ? "" : ", or " + quoted_words);
        case Kind::integers:
            return fmt::format("list of {}integers{}", length, limits);
        case Kind::numbers:
            return fmt::format("list of {}numbers{}", length, limits);
        case Kind::texts:
            return "text or list of texts";
        case Kind::rows:
            return fmt::format("list of lists of {}numbers{}", length, limits);
        case Kind::table:
            return "table";
    }
    throw std::logic_error("type_text: unknown kind");
}

std::string escaped_for_markdown(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '|') result += '\\';
        result += c;
    }
    return result;
}

}  // namespace

Key Key::quantity(std::string path, Dimension dimension, std::string standard, std::string meaning) {
    Key key = make_key(Kind::quantity, std::move(path), std::move(standard), std::move(meaning));
    key.dimension = dimension;
    return key;
}
Key Key::quantities(std::string path, Dimension dimension, std::string standard, std::string meaning) {
    Key key = make_key(Kind::quantities, std::move(path), std::move(standard), std::move(meaning));
    key.dimension = dimension;
    return key;
}
Key Key::integer(std::string path, std::string standard, std::string meaning) {
    return make_key(Kind::integer, std::move(path), std::move(standard), std::move(meaning));
}
Key Key::number(std::string path, std::string standard, std::string meaning) {
    return make_key(Kind::number, std::move(path), std::move(standard), std::move(meaning));
}
Key Key::boolean(std::string path, std::string standard, std::string meaning) {
    return make_key(Kind::boolean, std::move(path), std::move(standard), std::move(meaning));
}
Key Key::text(std::string path, std::string standard, std::string meaning) {
    return make_key(Kind::text, std::move(path), std::move(standard), std::move(meaning));
}
Key Key::choice(std::string path, std::vector<std::string> words, std::string standard, std::string meaning) {
    Key key = make_key(Kind::choice, std::move(path), std::move(standard), std::move(meaning));
    key.words = std::move(words);
    return key;
}
Key Key::file(std::string path, std::string standard, std::string meaning) {
    return make_key(Kind::file, std::move(path), std::move(standard), std::move(meaning));
}
Key Key::files(std::string path, std::vector<std::string> words, std::string standard, std::string meaning) {
    Key key = make_key(Kind::files, std::move(path), std::move(standard), std::move(meaning));
    key.words = std::move(words);
    return key;
}
Key Key::integers(std::string path, int length, std::string standard, std::string meaning) {
    Key key = make_key(Kind::integers, std::move(path), std::move(standard), std::move(meaning));
    key.length = length;
    return key;
}
Key Key::numbers(std::string path, int length, std::string standard, std::string meaning) {
    Key key = make_key(Kind::numbers, std::move(path), std::move(standard), std::move(meaning));
    key.length = length;
    return key;
}
Key Key::texts(std::string path, std::string standard, std::string meaning) {
    return make_key(Kind::texts, std::move(path), std::move(standard), std::move(meaning));
}
Key Key::rows(std::string path, int length, std::string standard, std::string meaning) {
    Key key = make_key(Kind::rows, std::move(path), std::move(standard), std::move(meaning));
    key.length = length;
    return key;
}
Key Key::table(std::string path, std::string meaning) {
    return make_key(Kind::table, std::move(path), "", std::move(meaning));
}

Key Key::at_least(double limit) const {
    Key key = *this;
    key.least = limit;
    key.above = false;
    return key;
}
Key Key::at_most(double limit) const {
    Key key = *this;
    key.most = limit;
    return key;
}
Key Key::positive() const {
    Key key = *this;
    key.least = 0;
    key.above = true;
    return key;
}

Value value_from_text(const Key& key, const std::string& text, const std::string& where) {
    const std::string_view content = trimmed(text);
    const bool bracketed = content.starts_with('[');
    switch (key.kind) {
        case Kind::quantity:
        case Kind::text:
        case Kind::choice:
        case Kind::file:
            return {text, where};
        case Kind::quantities:
        case Kind::files:
        case Kind::texts:
            return bracketed ? parse_toml_value(text, where) : Value(text, where);
        case Kind::integer:
            if (const auto value = to_integer(content)) return {*value, where};
            return {text, where};  // check_value says what is wrong
        case Kind::number:
            if (const auto value = to_integer(content)) return {*value, where};
            if (const auto value = to_number(content)) return {*value, where};
            return {text, where};
        case Kind::boolean:
            if (content == "true" || content == "false") return {content == "true", where};
            return {text, where};
        case Kind::integers:
        case Kind::numbers: {
            if (bracketed) return parse_toml_value(text, where);
            Value::List list;
            for (const auto word : words(content, ',')) {
                if (const auto value = to_integer(word))
                    list.emplace_back(*value, where);
                else if (const auto number = to_number(word))
                    list.emplace_back(*number, where);
                else
                    list.emplace_back(std::string(word), where);
            }
            return {std::move(list), where};
        }
        case Kind::rows:
        case Kind::table:
            return parse_toml_value(text, where);
    }
    throw std::logic_error("value_from_text: unknown kind");
}

void check_value(const Key& key, const Value& value) {
    const auto check_integer = [&](const Value& v) {
        check_limits(key, v, static_cast<double>(v.integer()));
    };
    const auto check_number = [&](const Value& v) { check_limits(key, v, v.number()); };
    const auto check_text = [](const Value& v) { v.text(); };
    const auto check_path = [](const Value& v) {
        if (v.text().empty()) fail(v, "expected a path");
    };
    switch (key.kind) {
        case Kind::quantity:
            return check_quantity(key, value);
        case Kind::quantities:
            return for_one_or_each(value, [&](const Value& v) { check_quantity(key, v); });
        case Kind::integer:
            return check_integer(value);
        case Kind::number:
            return check_number(value);
        case Kind::boolean:
            value.boolean();
            return;
        case Kind::text:
            return check_text(value);
        case Kind::choice:
            if (std::find(key.words.begin(), key.words.end(), value.text()) == key.words.end())
                fail(value, fmt::format("accepted: {}; the nearest is \"{}\"", type_text(key),
                                        nearest_word(value.text(), key.words)));
            return;
        case Kind::file:
            return check_path(value);
        case Kind::files:
            return for_one_or_each(value, check_path);
        case Kind::texts:
            return for_one_or_each(value, check_text);
        case Kind::integers:
            for (const Value& item : value.list()) check_integer(item);
            return check_length(key, value);
        case Kind::numbers:
            for (const Value& item : value.list()) check_number(item);
            return check_length(key, value);
        case Kind::rows:
            for (const Value& row : value.list()) {
                for (const Value& item : row.list()) check_number(item);
                check_length(key, row);
            }
            return;
        case Kind::table:
            value.table();
            return;
    }
}

std::string explain(const Schema& schema) {
    std::string text;
    std::vector<std::string> tables;
    const auto table_of = [](const Key& key) {
        const auto dot = key.path.rfind('.');
        return dot == std::string::npos ? std::string() : key.path.substr(0, dot);
    };
    for (const Key& key : schema)
        if (std::find(tables.begin(), tables.end(), table_of(key)) == tables.end())
            tables.push_back(table_of(key));
    for (const std::string& table : tables) {
        if (!text.empty()) text += '\n';
        if (!table.empty()) text += fmt::format("## [{}]\n\n", table);
        text += "| key | type | default | meaning |\n|---|---|---|---|\n";
        for (const Key& key : schema) {
            if (table_of(key) != table) continue;
            const std::string standard =
                key.standard.empty()
                    ? "left out"
                    : fmt::format("`{}`", to_toml(value_from_text(key, key.standard, key.path)));
            text += fmt::format("| `{}` | {} | {} | {} |\n", last_part(key.path),
                                escaped_for_markdown(type_text(key)), escaped_for_markdown(standard),
                                escaped_for_markdown(key.meaning));
        }
    }
    return text;
}

}  // namespace stembridge::io
