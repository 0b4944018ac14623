// The pointwise part of one time step of LSTM and GRU, for some rows of the batch (cpu/isa/recurrent.cpp).
// Plain data only: this header is read by per-ISA sources.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {

// Rows are `rows` many; each pointer is to the first of them, rows as far apart as the width says. n: units.
template <class T>
struct LstmStep {
  int64_t rows, n;
  int act, rec_act;     // numbers of Act
  const uint8_t* mask;  // one byte a row, or null: every row counts
  const T *xp, *rec;    // (rows, 4n): input product and recurrent product
  const T *h0, *c0;     // (rows, n): the state before
  T *h, *c;             // (rows, n): the state after; c may be c0
  T* gates;             // (rows, 4n): i f g o after activation, or null
};

template <class T>
struct LstmStepGrad {
  int64_t rows, n;
  int act, rec_act;
  const uint8_t* mask;
  const T *gates, *c0, *c;  // as saved
  const T* dh_out;          // (rows, n): gradient of this step's output
  T *dh, *dc;  // (rows, n): in: of the state after; out: dc of the state before, dh unless masked 0
  T* dz;       // (rows, 4n): gradient of the products' sum
};

template <class T>
struct GruStep {
  int64_t rows, n;
  int act, rec_act;
  const uint8_t* mask;
  const T *xp, *rec;  // (rows, 3n); rec with its bias
  const T* h0;
  T *h, *gates;  // gates: (rows, width) with width 3n, or 4n with reset_after
  T* rh;         // (rows, n): r·h, for the product that follows; null with reset_after
  int64_t width;
};

template <class T>
struct GruStepGrad {
  int64_t rows, n;
  int act, rec_act;
  const uint8_t* mask;
  const T *gates, *h0, *dh_out;
  int64_t width;
  T* dh;   // (rows, n): in: of the state after; out: what reaches the state before without a product
  T* dz;   // (rows, 3n): gradient of the input products
  T* dp;   // (rows, 3n): gradient of the recurrent products (reset_after); else null
  T* drh;  // (rows, n), without reset_after: the product's gradient of r·h, read by the second half
};

// The formulas are those of reference/recurrent.cpp. A GRU without reset_after takes two halves each way,
// with a matrix product between them: gru_gates then gru_output; gru_output_grad then gru_reset_grad.
PK_PER_ISA(void lstm_step_f32(const LstmStep<float>& s); void lstm_step_f64(const LstmStep<double>& s);
           void lstm_step_grad_f32(const LstmStepGrad<float>& s);
           void lstm_step_grad_f64(const LstmStepGrad<double>& s);
           void gru_gates_f32(const GruStep<float>& s); void gru_gates_f64(const GruStep<double>& s);
           void gru_output_f32(const GruStep<float>& s); void gru_output_f64(const GruStep<double>& s);
           void gru_output_grad_f32(const GruStepGrad<float>& s);
           void gru_output_grad_f64(const GruStepGrad<double>& s);
           void gru_reset_grad_f32(const GruStepGrad<float>& s);
           void gru_reset_grad_f64(const GruStepGrad<double>& s))

}  // namespace pk::cpu
