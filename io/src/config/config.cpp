// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "config/keys.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/nearest_word.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

/// The beginning of a message; nothing for a text that is no file.
/// @param name of the file, empty when it has none
std::string place(const std::string& name, const toml::source_region& region) {
    return name.empty() ? "" : fmt::format("{}:{}:{}: ", name, region.begin.line, region.begin.column);
}

Value to_value(const toml::node& node, const std::string& name, const std::string& path) {
    const std::string where = place(name, node.source()) + path;
    if (const auto* boolean = node.as_boolean()) return {boolean->get(), where};
    if (const auto* integer = node.as_integer()) return {std::int64_t{integer->get()}, where};
    if (const auto* number = node.as_floating_point()) return {number->get(), where};
    if (const auto* text = node.as_string()) return {text->get(), where};
    if (const auto* array = node.as_array()) {
        Value::List list;
        for (const toml::node& item : *array)
            list.push_back(to_value(item, name, fmt::format("{}[{}]", path, list.size())));
        return {std::move(list), where};
    }
    if (const auto* table = node.as_table()) {
        Value::Table entries;
        for (const auto& [key, item] : *table) {
            const std::string text(key.str());
            entries[text] = to_value(item, name, fmt::format("{}.{}", path, text));
        }
        return {std::move(entries), where};
    }
    throw InputError(fmt::format("{} is a date or time, expected a text, number, list or table", where));
}

/// A mistake in a file and its line, so that all are told in the order of the file.
struct Mistake {
    toml::source_index line;
    std::string message;
};

/// The tables of a schema, "build", "build.crop", ..., and the keys that are tables.
std::vector<std::string> tables_of(const Schema& schema) {
    std::set<std::string> tables;
    for (const Key& key : schema) {
        if (key.kind == Kind::table) tables.insert(key.path);
        for (auto dot = key.path.find('.'); dot != std::string::npos; dot = key.path.find('.', dot + 1))
            tables.insert(key.path.substr(0, dot));
    }
    return {tables.begin(), tables.end()};
}

bool is_inside(const std::string& path, const std::string& table) {
    return path.size() > table.size() && path.starts_with(table) && path[table.size()] == '.';
}

}  // namespace

Value parse_toml_value(const std::string& text, const std::string& where) {
    try {
        const toml::table table = toml::parse("value = " + text);
        if (table.size() == 1) return to_value(*table.get("value"), "", where);
    } catch (const toml::parse_error&) {
        // told below
    }
    throw InputError(fmt::format("{} is '{}', which is not a TOML value such as [1, 2]", where, text));
}

Config::Config(Schema schema) : schema_(std::move(schema)) {
    std::set<std::string> paths;
    for (const Key& key : schema_) {
        for (const std::string& other : paths)
            if (is_inside(other, key.path) || is_inside(key.path, other))
                throw std::logic_error("schema: '" + key.path + "' and '" + other + "' exclude each other");
        if (!paths.insert(key.path).second) throw std::logic_error("schema: '" + key.path + "' stands twice");
        unset(key.path);
    }
}

Config Config::read(const fs::path& path, Schema schema) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    return parse(read_text(path), std::move(schema), path.string(), folder);
}

Config Config::parse(std::string_view toml_text, Schema schema, const std::string& name,
                     const fs::path& folder) {
    Config config(std::move(schema));
    config.folder_ = folder;
    toml::table root;
    try {
        root = toml::parse(toml_text, name);
    } catch (const toml::parse_error& error) {
        throw InputError(fmt::format("{}{}", place(name, error.source()), error.description()));
    }

    std::vector<Mistake> mistakes;
    std::vector<std::string> known;
    for (const Key& key : config.schema_) known.push_back(key.path);
    const auto read_table = [&](const auto& self, const toml::table& table,
                                const std::string& prefix) -> void {
        for (const auto& [toml_name, node] : table) {
            const std::string path = prefix + std::string(toml_name.str());
            const auto key = std::find_if(config.schema_.begin(), config.schema_.end(),
                                          [&](const Key& k) { return k.path == path; });
            const bool is_table_of_keys = std::any_of(
                known.begin(), known.end(), [&](const std::string& k) { return is_inside(k, path); });
            try {
                if (key != config.schema_.end()) {
                    const Value value = to_value(node, name, path);
                    check_value(*key, value);
                    config.entries_[path] = {value, true, false};
                } else if (is_table_of_keys && node.is_table()) {
                    self(self, *node.as_table(), path + ".");
                } else if (is_table_of_keys) {
                    throw InputError(fmt::format("{}{} is a table of keys, not a value",
                                                 place(name, toml_name.source()), path));
                } else if (node.is_table()) {
                    throw InputError(fmt::format("{}unknown table [{}]; the nearest known table is [{}]",
                                                 place(name, toml_name.source()), path,
                                                 nearest_word(path, tables_of(config.schema_))));
                } else {
                    throw InputError(fmt::format("{}unknown key {}; the nearest known key is {}",
                                                 place(name, toml_name.source()), path,
                                                 nearest_word(path, known)));
                }
            } catch (const InputError& error) {
                mistakes.push_back({toml_name.source().begin.line, error.what()});
            }
        }
    };
    read_table(read_table, root, "");
    if (mistakes.empty()) return config;
    std::stable_sort(mistakes.begin(), mistakes.end(),
                     [](const Mistake& a, const Mistake& b) { return a.line < b.line; });
    std::string message;
    for (const Mistake& mistake : mistakes) message += (message.empty() ? "" : "\n") + mistake.message;
    throw InputError(message);
}

void Config::set(const std::string& path, const std::string& text, const std::string& option) {
    const Value value = value_from_text(key(path), text, option);
    check_value(key(path), value);
    entries_[path] = {value, true, true};
}

void Config::unset(const std::string& path) {
    const Key& own = key(path);
    entries_.erase(path);
    if (own.standard.empty()) return;
    try {
        const Value value = value_from_text(own, own.standard, path + " (default)");
        check_value(own, value);
        entries_[path] = {value, false, false};
    } catch (const Error& error) {
        throw std::logic_error(std::string("schema: ") + error.what());
    }
}

const Key& Config::key(const std::string& path) const {
    const auto found =
        std::find_if(schema_.begin(), schema_.end(), [&](const Key& k) { return k.path == path; });
    if (found == schema_.end()) throw std::logic_error("configuration: no key '" + path + "' in the schema");
    return *found;
}

const Config::Entry& Config::entry(const std::string& path, std::initializer_list<Kind> kinds) const {
    if (std::find(kinds.begin(), kinds.end(), key(path).kind) == kinds.end())
        throw std::logic_error("configuration: key '" + path + "' is of another kind");
    const auto found = entries_.find(path);
    if (found == entries_.end())
        throw InputError(fmt::format("{} is needed but left out: {}", path, key(path).meaning));
    return found->second;
}

bool Config::is_set(const std::string& path) const {
    key(path);
    const auto found = entries_.find(path);
    return found != entries_.end() && found->second.given;
}

bool Config::has(const std::string& path) const {
    key(path);
    return entries_.count(path) != 0;
}

double Config::quantity(const std::string& path) const {
    return parse_quantity(entry(path, {Kind::quantity}).value.text(), key(path).dimension);
}

std::vector<double> Config::quantities(const std::string& path) const {
    const Value& value = entry(path, {Kind::quantities}).value;
    if (!value.is_list()) return {parse_quantity(value.text(), key(path).dimension)};
    std::vector<double> result;
    for (const Value& item : value.list()) result.push_back(parse_quantity(item.text(), key(path).dimension));
    return result;
}

std::int64_t Config::integer(const std::string& path) const {
    return entry(path, {Kind::integer}).value.integer();
}

double Config::number(const std::string& path) const {
    return entry(path, {Kind::number}).value.number();
}

bool Config::boolean(const std::string& path) const {
    return entry(path, {Kind::boolean}).value.boolean();
}

const std::string& Config::text(const std::string& path) const {
    return entry(path, {Kind::text, Kind::choice, Kind::quantity}).value.text();
}

fs::path Config::resolved(const Entry& entry, const Key& key, const std::string& path) const {
    const bool is_word = std::find(key.words.begin(), key.words.end(), path) != key.words.end();
    // An option is typed in the current folder. What a file names is looked for beside the file, then in the
    // current folder too, so that a generated configuration may lie anywhere.
    if (is_word || entry.from_option) return path;
    const fs::path beside = (folder_ / path).lexically_normal();
    std::error_code ignored;
    return !fs::exists(beside, ignored) && fs::exists(path, ignored) ? fs::absolute(path) : beside;
}

fs::path Config::file(const std::string& path) const {
    const Entry& found = entry(path, {Kind::file});
    return resolved(found, key(path), found.value.text());
}

std::vector<fs::path> Config::files(const std::string& path) const {
    const Entry& found = entry(path, {Kind::files});
    if (!found.value.is_list()) return {resolved(found, key(path), found.value.text())};
    std::vector<fs::path> result;
    for (const Value& item : found.value.list()) result.push_back(resolved(found, key(path), item.text()));
    return result;
}

std::vector<std::int64_t> Config::integers(const std::string& path) const {
    std::vector<std::int64_t> result;
    for (const Value& item : entry(path, {Kind::integers}).value.list()) result.push_back(item.integer());
    return result;
}

std::vector<double> Config::numbers(const std::string& path) const {
    return entry(path, {Kind::numbers}).value.numbers();
}

std::vector<std::string> Config::texts(const std::string& path) const {
    const Value& value = entry(path, {Kind::texts}).value;
    if (!value.is_list()) return {value.text()};
    std::vector<std::string> result;
    for (const Value& item : value.list()) result.push_back(item.text());
    return result;
}

std::vector<std::vector<double>> Config::rows(const std::string& path) const {
    std::vector<std::vector<double>> result;
    for (const Value& row : entry(path, {Kind::rows}).value.list()) result.push_back(row.numbers());
    return result;
}

const Value& Config::table(const std::string& path) const {
    return entry(path, {Kind::table}).value;
}

std::string Config::where(const std::string& path) const {
    key(path);
    const auto found = entries_.find(path);
    return found == entries_.end() ? path + " (left out)" : found->second.value.where();
}

std::string Config::resolved_toml() const {
    // Keys by table, in the order in which the schema names the tables; those outside any table first.
    std::vector<std::pair<std::string, std::string>> tables = {{"", ""}};
    for (const Key& key : schema_) {
        const auto dot = key.path.rfind('.');
        const std::string table = dot == std::string::npos ? "" : key.path.substr(0, dot);
        const std::string leaf = dot == std::string::npos ? key.path : key.path.substr(dot + 1);
        auto lines =
            std::find_if(tables.begin(), tables.end(), [&](const auto& t) { return t.first == table; });
        if (lines == tables.end()) lines = tables.insert(tables.end(), {table, ""});
        const auto found = entries_.find(key.path);
        if (found == entries_.end()) {
            lines->second += fmt::format("# {} is left out\n", leaf);
            continue;
        }
        Value value = found->second.value;
        const auto absolute = [&](const Value& path) {
            const fs::path file = resolved(found->second, key, path.text());
            const bool is_word =
                std::find(key.words.begin(), key.words.end(), path.text()) != key.words.end();
            return Value(is_word ? path.text() : fs::absolute(file).lexically_normal().string(),
                         path.where());
        };
        if (key.kind == Kind::file || (key.kind == Kind::files && !value.is_list())) {
            value = absolute(value);
        } else if (key.kind == Kind::files) {
            Value::List list;
            for (const Value& item : value.list()) list.push_back(absolute(item));
            value = Value(std::move(list), value.where());
        }
        lines->second += fmt::format("{} = {}\n", toml_key(leaf), to_toml(value));
    }
    std::string text;
    for (const auto& [table, lines] : tables) {
        if (lines.empty()) continue;
        if (!text.empty()) text += '\n';
        if (!table.empty()) text += fmt::format("[{}]\n", table);
        text += lines;
    }
    return text;
}

}  // namespace stembridge::io
