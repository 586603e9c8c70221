// SPDX-License-Identifier: Apache-2.0
// The device layer on the processor: order of the batches, memory, comparisons that can fail.
#include <boost/test/unit_test.hpp>
#include <set>

#include "density/cuda/choose_gpu.hpp"
#include "density/cuda/device_array.hpp"
#include "density/cuda/device_poles.hpp"
#include "density/cuda/device_tests.hpp"
#include "density/cuda/front_schedule.hpp"
#include "density/cuda/host_dense.hpp"
#include "density/cuda/host_device.hpp"
#include "density/cuda/model_problem.hpp"
#include "density/cuda/pattern_map.hpp"
#include "density/pole_expansion/multifrontal.hpp"
#include "forwarding_device.hpp"
#include "sheets.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using Complex = std::complex<double>;

BOOST_AUTO_TEST_SUITE(test_device_layer)

BOOST_AUTO_TEST_CASE(pairs_of_orbitals_fold_like_the_matrix_at_gamma) {
    // A cell so small that atoms meet their own images.
    Structure s = testing::gapped_sheet(1);
    const auto m = testing::matrices(s);
    for (const BlockMatrix* matrix : {&m->overlap, &m->hamiltonian[0]}) {
        const PatternMap map(m->pattern);
        const std::vector<double> pairs = map.fold(*matrix);
        const Eigen::MatrixXd dense = matrix->folded();
        std::set<std::pair<int, int>> seen;
        for (std::size_t k = 0; k < map.n_pairs(); ++k) {
            BOOST_TEST(map.row(k) >= map.column(k));
            BOOST_TEST(seen.insert({map.row(k), map.column(k)}).second);
            BOOST_CHECK_SMALL(pairs[k] - dense(map.row(k), map.column(k)), 1e-14);
        }
        // What is put back on the pattern is the element of the folded matrix.
        BlockMatrix back(m->pattern);
        map.add_unfolded(pairs, back);
        for (const Block& b : m->pattern.blocks())
            BOOST_CHECK_SMALL(
                (back.block(b) - dense.block(m->basis.first_orbital(b.i), m->basis.first_orbital(b.j),
                                             m->basis.n_orbitals(b.i), m->basis.n_orbitals(b.j)))
                    .cwiseAbs()
                    .maxCoeff(),
                1e-14);
        double trace = 0;
        const std::vector<double> weights = map.trace_weights(pairs);
        for (std::size_t k = 0; k < pairs.size(); ++k) trace += weights[k] * pairs[k];
        BOOST_CHECK_CLOSE(trace, dense.squaredNorm(), 1e-10);
    }
}

BOOST_AUTO_TEST_CASE(every_front_comes_once_and_after_its_children) {
    const auto m = testing::matrices(testing::ragged_flake(16, 0.03));
    const Symbolic symbolic(m->pattern);
    for (const int largest_small : {0, 100, 100000}) {
        const FrontSchedule schedule(symbolic, largest_small);
        std::vector<int> level_of(symbolic.fronts.size(), -1);
        for (std::size_t l = 0; l < schedule.levels.size(); ++l)
            for (const auto* list : {&schedule.levels[l].small, &schedule.levels[l].large})
                for (const int f : *list) {
                    BOOST_TEST(level_of[static_cast<std::size_t>(f)] == -1);
                    level_of[static_cast<std::size_t>(f)] = static_cast<int>(l);
                    const int size = symbolic.fronts[static_cast<std::size_t>(f)].size();
                    BOOST_TEST((list == &schedule.levels[l].small) == (size <= largest_small));
                    if (size <= largest_small) BOOST_TEST(size <= schedule.levels[l].largest_small);
                }
        std::size_t n_links = 0, n_children = 0;
        for (std::size_t f = 0; f < symbolic.fronts.size(); ++f) {
            BOOST_TEST(level_of[f] >= 0);
            for (const int c : symbolic.fronts[f].children) {
                BOOST_TEST(level_of[static_cast<std::size_t>(c)] == level_of[f] + 1);
                ++n_children;
            }
        }
        for (const FrontSchedule::Level& level : schedule.levels)
            for (const auto& round : level.rounds) {
                std::set<std::int64_t> parents;
                for (const ChildLink& link : round) {
                    BOOST_TEST(parents.insert(link.parent.offset).second);
                    std::set<int> rows;
                    for (int k = 0; k < link.child.n_boundary; ++k) {
                        const int row = schedule.rows[static_cast<std::size_t>(link.first_row + k)];
                        BOOST_TEST(rows.insert(row).second);
                        BOOST_TEST(row < link.parent.n_pivots + link.parent.n_boundary);
                    }
                    ++n_links;
                }
            }
        BOOST_TEST(n_links == n_children);
        // Fronts do not overlap.
        std::int64_t end = 0;
        for (const FrontShape& shape : schedule.shapes) {
            BOOST_TEST(shape.offset == end);
            const std::int64_t size = shape.n_pivots + shape.n_boundary;
            end += size * size;
        }
        BOOST_TEST(schedule.n_values == end);
    }
}

BOOST_AUTO_TEST_CASE(batches_give_the_selected_inverse_of_the_processor) {
    for (const Structure& s : {testing::ragged_flake(9, 0.05), testing::gapped_sheet(6)}) {
        const auto m = testing::matrices(s);
        const Symbolic symbolic(m->pattern);
        const std::vector<Complex> z = {{-0.2, 0.003}, {-0.1, 0.1}, {0.3, 2.0}};
        const auto device = make_host_device();
        DevicePoles poles(*device);
        poles.analyze(m->pattern, symbolic);
        poles.set_overlap(m->overlap);
        Eigen::VectorXcd with_overlap, with_hamiltonian;
        for (const bool rough : {false, true}) {
            poles.invert(0, m->hamiltonian[0], z, rough, {}, with_overlap, with_hamiltonian);
            for (std::size_t j = 0; j < z.size(); ++j) {
                Multifrontal<Complex> factor(symbolic);
                factor.factorize(m->hamiltonian[0].values().data(), m->overlap.values().data(), z[j], {});
                std::vector<Complex> g(m->pattern.n_values());
                factor.selected_inverse(g.data(), {});
                BlockMatrix real(m->pattern), expected(m->pattern);
                double scale = 0;
                for (std::size_t k = 0; k < g.size(); ++k) {
                    expected.values()[k] = g[k].real() + 0.5 * g[k].imag();
                    scale = std::max(scale, std::abs(g[k]));
                }
                Eigen::VectorXcd w = Eigen::VectorXcd::Zero(3);
                w(static_cast<Eigen::Index>(j)) = Complex(1, -0.5);
                poles.add_sum(0, w, real);
                double worst = 0;
                for (std::size_t k = 0; k < g.size(); ++k)
                    worst = std::max(worst, std::abs(real.values()[k] - expected.values()[k]));
                BOOST_TEST(worst < (rough ? 1e-2 : 1e-10) * scale);
                if (rough) BOOST_TEST(worst > 1e-12 * scale);  // it is single precision
                const auto at = static_cast<Eigen::Index>(j);
                BOOST_TEST(std::abs(with_hamiltonian(at) - z[j] * with_overlap(at) -
                                    Complex(m->basis.n_orbitals())) <
                           (rough ? 1e-3 : 1e-9) * m->basis.n_orbitals());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(room_for_poles_is_kept_for_fewer_of_them_and_for_another_pattern) {
    const auto large = testing::matrices(testing::ragged_flake(7, 0.05)),
               small = testing::matrices(testing::ragged_flake(6, 0.05));
    const auto device = make_host_device(std::size_t{8} << 30);
    DevicePoles poles(*device);
    const auto invert = [&](const ElectronicState& m, std::size_t n_poles, bool rough) {
        const std::vector<Complex> z(n_poles, Complex(-0.1, 0.1));
        Eigen::VectorXcd s, h;
        poles.invert(0, m.hamiltonian[0], z, rough, {}, s, h);
        return device->allocated();
    };
    const auto analyze = [&](const ElectronicState& m) {
        poles.analyze(m.pattern, Symbolic(m.pattern));
        poles.set_overlap(m.overlap);
    };
    analyze(*large);
    const std::size_t most = invert(*large, 4, false);
    BOOST_TEST(invert(*large, 2, false) == most);
    BOOST_TEST(invert(*large, 4, true) == most);
    const std::size_t fronts = 4 * poles.bytes_per_pole(sizeof(Complex));
    analyze(*small);
    BOOST_TEST(invert(*small, 2, true) > fronts);
    BOOST_TEST(device->most_allocated() == most);
    analyze(*large);
    BOOST_TEST(invert(*large, 4, false) == most);
}

BOOST_AUTO_TEST_CASE(memory_is_counted_and_decides_how_many_poles_go_together) {
    const auto m = testing::matrices(testing::ragged_flake(9, 0.05));
    const Symbolic symbolic(m->pattern);
    const std::vector<Complex> z = {{-0.2, 0.01}, {-0.1, 0.1}, {0.3, 2.0}, {0.1, 1.0}, {0, 0.5}};
    const auto all = [&](std::size_t memory, int& at_once, std::size_t& most) {
        const auto device = make_host_device(memory);
        BlockMatrix sum(m->pattern);
        {
            DevicePoles poles(*device);
            poles.analyze(m->pattern, symbolic);
            poles.set_overlap(m->overlap);
            Eigen::VectorXcd s, h;
            poles.invert(0, m->hamiltonian[0], z, false, {}, s, h);
            poles.add_sum(0, Eigen::VectorXcd::Ones(5), sum);
            at_once = poles.poles_at_once();
            most = device->most_allocated();
            BOOST_TEST(device->allocated() + device->free_memory() == memory);
        }
        BOOST_TEST(device->allocated() == 0u);  // everything is given back
        return sum.values();
    };
    int at_once = 0;
    std::size_t most = 0, fewer = 0;
    const auto reference = all(std::size_t{8} << 30, at_once, most);
    BOOST_TEST(at_once == 5);
    // With less memory than that, in batches; the bits stay the same.
    const auto batched = all(most / 2, at_once, fewer);
    BOOST_TEST(at_once < 5);
    BOOST_TEST(at_once >= 1);
    BOOST_TEST(fewer <= most / 2);
    BOOST_TEST(batched == reference);
    // With next to none, an error that says so.
    BOOST_CHECK_EXCEPTION(all(most / 20, at_once, fewer), BackendError, [](const BackendError& e) {
        return std::string(e.what()).find("free") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(the_processor_in_place_of_a_device_passes_every_comparison) {
    const auto device = make_host_device();
    int n = 0;
    test_device(*device, [&](const DeviceCheck& check) {
        BOOST_TEST_CONTEXT(check.what << ": " << check.difference << " " << check.error)
        BOOST_TEST(check.passed());
        ++n;
    });
    BOOST_TEST(n >= 20);
    BOOST_TEST(device->allocated() == 0u);
}

namespace {

/// Adds up wrongly in one of its operations.
class FaultyDense final : public DenseOperations<double> {
  public:
    explicit FaultyDense(DenseOperations<double>& right) : right_(right) {}
    void multiply(bool ta, bool tb, int m, int n, int k, double alpha, const double* a, int lda,
                  const double* b, int ldb, double beta, double* c, int ldc) override {
        right_.multiply(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }
    void multiply_by_own_transpose(int n, const double* a, double* c) override {
        right_.multiply_by_own_transpose(n, a, c);
    }
    bool cholesky(int n, double* a) override { return right_.cholesky(n, a); }
    void solve_triangular(bool right, bool transpose, int n, int columns, const double* l, double* b,
                          int ldb) override {
        right_.solve_triangular(right, transpose, n, columns, l, b, ldb);
    }
    void eigensystem(int n, double* a, double* values) override { right_.eigensystem(n, a, values); }
    void combine(std::size_t n, double alpha, const double* x, double beta, double* y) override {
        right_.combine(n, alpha, x, beta, y);
    }
    void add_to_diagonal(int n, double alpha, double* a) override { right_.add_to_diagonal(n, alpha, a); }
    void mirror_lower(int n, double* a) override { right_.mirror_lower(n, a); }
    void symmetrize(int n, double* a) override { right_.symmetrize(n, a); }
    void scale_columns(int n, int m, const double* a, const double* w, double* out) override {
        right_.scale_columns(n, m, a, w, out);
    }
    double trace(int n, const double* a) override { return right_.trace(n, a) * (1 + 1e-9); }
    double dot(std::size_t n, const double* x, const double* y) override { return right_.dot(n, x, y); }
    double log_of_diagonal(int n, const double* a) override { return right_.log_of_diagonal(n, a); }
    void from_double(std::size_t n, const double* x, double* y) override { right_.from_double(n, x, y); }
    void to_double(std::size_t n, const double* x, double* y) override { right_.to_double(n, x, y); }
    void scatter(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                 const double* values, int n, double* a) override {
        right_.scatter(count, position, mirror, values, n, a);
    }
    void gather(std::size_t count, const std::int64_t* position, double alpha, const double* a, double beta,
                double* out) override {
        right_.gather(count, position, alpha, a, beta, out);
    }

  private:
    DenseOperations<double>& right_;
};

class FaultyDevice final : public testing::ForwardingDevice {
  public:
    std::string name() const override { return "faulty"; }
    tb::DenseOperations<double>& dense(double) override { return dense_; }

  private:
    FaultyDense dense_{ForwardingDevice::dense(0.0)};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_device_that_computes_wrongly_is_found_out) {
    FaultyDevice faulty;
    BOOST_CHECK_EXCEPTION(prove(faulty), BackendError, [](const BackendError& e) {
        return std::string(e.what()).find("element by element, double") != std::string::npos;
    });
    const auto good = make_host_device();
    BOOST_CHECK_NO_THROW(prove(*good));
    // No room for the operands.
    const auto tiny = make_host_device(1000);
    BOOST_CHECK_EXCEPTION(prove(*tiny), BackendError, [](const BackendError& e) {
        return std::string(e.what()).find("malloc") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(replicas_spread_over_the_gpus) {
    int failing = -1;
    const GpuAccess access{.list =
                               [] {
                                   std::vector<Gpu> gpus(3);
                                   for (int k = 0; k < 3; ++k) {
                                       gpus[static_cast<std::size_t>(k)].index = k;
                                       gpus[static_cast<std::size_t>(k)].free_memory = k == 1 ? 200 : 100;
                                   }
                                   return gpus;
                               },
                           .open =
                               [&](int index) {
                                   if (index == failing) throw BackendError("cudaSetDevice failed");
                                   // Which one it is can be told by its memory.
                                   return make_host_device(1000 + static_cast<std::size_t>(index));
                               }};
    const auto index_of = [](const Device& device) { return static_cast<int>(device.free_memory()) - 1000; };
    std::vector<std::unique_ptr<Device>> replicas;
    std::vector<int> order;
    const auto add = [&](const std::string& which) {
        replicas.push_back(choose_gpu(which, access));
        order.push_back(index_of(*replicas.back()));
    };
    for (int replica = 0; replica < 6; ++replica) add("auto");
    BOOST_TEST(order == (std::vector<int>{1, 0, 2, 1, 0, 2}), boost::test_tools::per_element());
    // The GPU of a replica that has ended is the next to be taken.
    replicas.erase(replicas.begin() + 4);
    add("auto");
    BOOST_TEST(order.back() == 0);
    // Those that were asked for by index count too; a GPU that could not be opened does not.
    failing = 2;
    BOOST_CHECK_THROW(choose_gpu("2", access), BackendError);
    failing = -1;
    add("1");
    add("auto");
    BOOST_TEST(order.back() == 0);
    add("auto");
    BOOST_TEST(order.back() == 2);
    BOOST_CHECK_THROW(choose_gpu("first", access), InputError);
    BOOST_CHECK_THROW(choose_gpu("-1", access), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
