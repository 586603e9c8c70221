// SPDX-License-Identifier: Apache-2.0
// A bag of named arrays: what an object needs to continue exactly where it was. io/ writes it to HDF5 bit by
// bit.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "stembridge/base/errors.hpp"

namespace stembridge {

/// Named arrays and texts; names may be paths ("thermostat/positions").
class State {
  public:
    using Value =
        std::variant<std::vector<double>, std::vector<float>, std::vector<std::int64_t>, std::string>;

    void put(const std::string& name, Value value) { values_[name] = std::move(value); }
    void put(const std::string& name, double value) { put(name, std::vector<double>{value}); }
    void put(const std::string& name, std::int64_t value) { put(name, std::vector<std::int64_t>{value}); }
    /// Column-major entries of a matrix or vector.
    void put(const std::string& name, const Eigen::Ref<const Eigen::MatrixXd>& m) {
        const Eigen::MatrixXd copy = m;
        put(name, std::vector<double>(copy.data(), copy.data() + copy.size()));
    }

    bool has(const std::string& name) const { return values_.count(name) != 0; }

    /// @throw FileError when the name is missing or holds another type (the checkpoint belongs to something
    /// else)
    template <class T>
    const T& get(const std::string& name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) throw FileError("checkpoint has no entry '" + name + "'");
        const T* value = std::get_if<T>(&found->second);
        if (value == nullptr)
            throw FileError("checkpoint entry '" + name + "' has another type than expected");
        return *value;
    }
    double number(const std::string& name) const { return single(get<std::vector<double>>(name), name); }
    std::int64_t integer(const std::string& name) const {
        return single(get<std::vector<std::int64_t>>(name), name);
    }
    /// Matrix with the given number of rows. @throw FileError when the sizes do not fit
    Eigen::MatrixXd matrix(const std::string& name, Eigen::Index rows) const {
        const auto& v = get<std::vector<double>>(name);
        if (rows == 0 || v.size() % static_cast<std::size_t>(rows) != 0)
            throw FileError("checkpoint entry '" + name + "' has the wrong size");
        return Eigen::Map<const Eigen::MatrixXd>(v.data(), rows, static_cast<Eigen::Index>(v.size()) / rows);
    }
    const std::map<std::string, Value>& values() const { return values_; }

    /// Adds every entry of another state under "prefix/".
    void put_all(const std::string& prefix, const State& other) {
        for (const auto& [name, value] : other.values_)
            values_[std::string(prefix).append("/").append(name)] = value;
    }
    /// The entries under "prefix/", with the prefix removed.
    State part(const std::string& prefix) const {
        State result;
        for (const auto& [name, value] : values_)
            if (name.starts_with(prefix + "/")) result.values_[name.substr(prefix.size() + 1)] = value;
        return result;
    }

  private:
    template <class T>
    static T single(const std::vector<T>& v, const std::string& name) {
        if (v.size() != 1) throw FileError("checkpoint entry '" + name + "' should be a single value");
        return v.front();
    }
    std::map<std::string, Value> values_;
};

}  // namespace stembridge
