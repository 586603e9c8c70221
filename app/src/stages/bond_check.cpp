// SPDX-License-Identifier: Apache-2.0
// Whether the bonds that were found can be those of graphene.
#include <fmt/format.h>

#include "stages/stages.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {

void check_bonds(nlohmann::json& summary, const std::filesystem::path& out, Session& session) {
    constexpr double shortest_angstrom = 1.38, longest_angstrom = 1.46;
    constexpr int enough_bonds = 10;
    const double mean = summary.value("cc_mean_angstrom", 0.0);
    if (summary.value("cc_count", 0) < enough_bonds ||
        (mean >= shortest_angstrom && mean <= longest_angstrom))
        return;
    const std::string warning = fmt::format(
        "the mean C-C distance of the atoms found is {:.3f} angstrom, that of graphene 1.42: the pixel size, "
        "the lattice it was corrected by, or the positions are wrong",
        mean);
    session.warning(warning);
    summary["warnings"].push_back(warning);
    io::write_text_atomically(out / "summary.json", summary.dump(2) + "\n");
}

}  // namespace stembridge::app
