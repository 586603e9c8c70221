// SPDX-License-Identifier: Apache-2.0
#include "csv_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <charconv>
#include <sstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace {

/// The first rows of a file as they stand there, without its header.
std::string first_rows(const std::filesystem::path& path, std::int64_t rows) {
    std::istringstream lines(io::read_text(path));
    std::string line, kept;
    std::getline(lines, line);
    for (std::int64_t row = 0; row < rows; ++row) {
        if (!std::getline(lines, line) || lines.eof())
            throw FileError(
                fmt::format("{} holds {} complete rows, the checkpoint counts {}; remove the stage's folder "
                            "to start it again",
                            path.string(), row, rows));
        kept += line + "\n";
    }
    return kept;
}

}  // namespace

std::vector<std::string> csv_cells(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
    return cells;
}

CsvLog::CsvLog(std::filesystem::path path, const std::vector<std::string>& columns, std::int64_t keep_rows)
    : path_(std::move(path)), rows_(keep_rows) {
    std::string kept = fmt::format("{}\n", fmt::join(columns, ","));
    if (keep_rows > 0) kept += first_rows(path_, keep_rows);
    io::write_text_atomically(path_, kept);
    file_.open(path_, std::ios::app);
    if (!file_) throw FileError(fmt::format("cannot write {}", path_.string()));
}

void CsvLog::row(const std::vector<double>& values) {
    file_ << fmt::format("{}\n", fmt::join(values, ","));
    ++rows_;
    flush();
}

void CsvLog::flush() {
    file_.flush();
    if (!file_) throw FileError(fmt::format("cannot write {} (disk full?)", path_.string()));
}

void CsvLog::sync() {
    flush();
    const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    const bool on_disk = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    if (!on_disk) throw FileError(fmt::format("cannot write {} (disk full?)", path_.string()));
}

void require_rows(const std::filesystem::path& path, std::int64_t rows) {
    if (rows > 0) first_rows(path, rows);
}

std::map<std::string, std::vector<double>> read_csv(const std::filesystem::path& path,
                                                    const std::vector<std::string>& needed) {
    std::istringstream lines(io::read_text(path));
    std::string line;
    std::getline(lines, line);
    const auto names = csv_cells(line);
    std::map<std::string, std::vector<double>> columns;
    for (const auto& name : names) columns[name];
    for (const auto& name : needed)
        if (columns.count(name) == 0)
            throw FileError(fmt::format("{}: the column {} is missing", path.string(), name));
    for (int number = 2; std::getline(lines, line); ++number) {
        const auto cells = csv_cells(line);
        if (cells.size() != names.size())
            throw FileError(fmt::format("{}:{}: {} values where the header has {}", path.string(), number,
                                        cells.size(), names.size()));
        for (std::size_t k = 0; k < cells.size(); ++k) {
            double value = 0;
            const auto [end, status] =
                std::from_chars(cells[k].data(), cells[k].data() + cells[k].size(), value);
            if (status != std::errc{} || end != cells[k].data() + cells[k].size())
                throw FileError(fmt::format("{}:{}: '{}' is not a number", path.string(), number, cells[k]));
            columns[names[k]].push_back(value);
        }
    }
    return columns;
}

}  // namespace stembridge::app
