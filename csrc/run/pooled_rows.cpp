#include "run/pooled_rows.h"

namespace pdrt::run {

PooledRows::PooledRows(const Frame& frame, const Group& group) : frame_(frame) {
  if (!frame.plan.convolutions[group.step].pools_rows) return;
  const plan::Step& next = frame.plan.steps[group.step + 1];
  form_ = &std::get<plan::PoolForm>(next.form);
  in_ = group.task.plane;
  out_ = frame.plan.values[next.outputs[0]].plane;
  planes_ = frame.plane(next.outputs[0], group.sample, 0);
}

void PooledRows::pool(int kernel, const float* rows, int top, int bottom) const {
  const int side = form_->pool.stride_h, first = top / side;
  Plane in = *in_, out = *out_;
  in.height = bottom - top;
  in.flat = in.height * in.row;
  out.height = in.height / side;
  out.flat = bottom == in_->height ? out.flat - first * out.row : out.height * out.row;
  float* const to = planes_ + kernel * std::int64_t{out.stride} + std::int64_t{first} * out.row;
  frame_.engine.pool(form_->pool, rows, in, to, out, {}, kernel);
}

}  // namespace pdrt::run
