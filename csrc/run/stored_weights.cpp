#include "run/stored_weights.h"

#include "model/mapped_file.h"

namespace pdrt::run {
namespace {

struct Rows {
  const float* weights = nullptr;
  std::int64_t count = 0, floats = 0;
};

Rows rows_of(const plan::Step& step) {
  if (const auto* form = std::get_if<plan::ConvolutionForm>(&step.form))
    return {form->weights, form->kernels, form->columns()};
  if (const auto* form = std::get_if<plan::FullyConnectedForm>(&step.form)) {
    if (form->by_input) return {form->by_input, form->columns, form->kernels};
    return {form->weights, form->kernels, form->columns};
  }
  return {};
}

// tell(file, first byte, how many) for rows [first, last).
template <typename Tell>
void tell_file(const plan::Plan& plan, const Rows& rows, std::int64_t first, std::int64_t last,
               const Tell& tell) {
  const auto file = std::static_pointer_cast<const FileBytes>(plan.program.graph->storage);
  tell(*file, rows.weights + first * rows.floats,
       static_cast<std::size_t>((last - first) * rows.floats) * sizeof(float));
}

void fetch(const FileBytes& file, const void* first, std::size_t bytes) {
  file.fetch(first, bytes);
}

void release(const FileBytes& file, const void* first, std::size_t bytes) {
  file.release(first, bytes);
}

}  // namespace

const float* stored_weights(const plan::Step& step) { return rows_of(step).weights; }

void fetch_weights(const plan::Plan& plan, std::size_t step) {
  const Rows rows = rows_of(plan.steps[step]);
  tell_file(plan, rows, 0, rows.count, fetch);
}

void fetch_rows(const plan::Plan& plan, std::size_t step, std::int64_t first, std::int64_t last) {
  tell_file(plan, rows_of(plan.steps[step]), first, last, fetch);
}

void release_weights(const plan::Plan& plan, std::size_t step) {
  const Rows rows = rows_of(plan.steps[step]);
  tell_file(plan, rows, 0, rows.count, release);
}

void release_rows(const plan::Plan& plan, std::size_t step, std::int64_t first, std::int64_t last) {
  tell_file(plan, rows_of(plan.steps[step]), first, last, release);
}

}  // namespace pdrt::run
