import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyFile } from '../../src/cli/verify/index.ts';
import { FileError } from '../../src/core/errors.ts';
import { scratchFolder } from '../record/scratch.ts';

type Json = { [key: string]: Json } | Json[] | number | string | null;

const folder = import.meta.dirname;
interface Golden {
  readonly name: string;
  /** Blocks beside the usual ones that describe the network: names at the top, or paths with `*` for any index. */
  readonly given?: readonly string[];
  readonly unchecked: readonly string[];
  readonly spikes: RegExp;
  /** Places of numbers to spoil, one or more of every kind of quantity. */
  readonly spoil: readonly string[];
}

const files: readonly Golden[] = [
  {
    name: 'eprop-alif-small.json',
    unchecked: [],
    spikes: /^z$/,
    spoil: [
      'v.1.9.2',
      'a.1.20.3',
      'threshold.0.30.4',
      'psi.1.10.2',
      'y.0.39.1',
      'refractory_before.*',
      'loss',
      'z.*',
      'learning_signal_symmetric.0.33.2',
      'learning_signal_random.0.31.1',
      'traces_input.epsv.*',
      'traces_input.epsa.*',
      'traces_input.e.*',
      'traces_input.ebar.*',
      'traces_recurrent.epsv.*',
      'traces_recurrent.epsa.*',
      'traces_recurrent.e.*',
      'traces_recurrent.ebar.*',
      'gradients.eprop_symmetric.w_in.*',
      'gradients.eprop_symmetric.w_rec.*',
      'gradients.eprop_symmetric.w_out.*',
      'gradients.eprop_random.w_in.*',
      'gradients.eprop_random.w_rec.*',
      'gradients.eprop_symmetric_reset_in_trace.w_rec.*',
      'gradients.eprop_symmetric_unfiltered_trace.w_in.*',
      'gradients.bptt_full.w_in.*',
      'gradients.bptt_full.w_rec.*',
      'gradients.bptt_full.w_out.*',
      'gradients.bptt_reset_detached.w_in.*',
      'gradients.bptt_reset_detached.w_rec.*',
      'total_learning_signal.1.7.2',
      'total_learning_signal.*',
      'total_learning_signal_reset_detached.*',
      'gradients.firing_rate_reg.w_in.*',
      'gradients.firing_rate_reg.w_rec.*',
      'cumulative_eprop_symmetric_w_in_at_t.9.*',
      'cumulative_eprop_symmetric_w_rec_at_t.39.*',
      'w_in.*',
      'w_rec.0.1',
      'w_out.*',
      'feedback_random.*',
      'params.alpha',
    ],
  },
  {
    name: 'eprop-lif-softmax-small.json',
    unchecked: [],
    spikes: /^z$/,
    spoil: [
      'softmax.*',
      'output_error.*',
      'loss',
      'v.*',
      'psi.*',
      'y.*',
      'learning_signal_random.*',
      'traces_recurrent.ebar.*',
      'gradients.eprop_symmetric.w_rec.*',
      'gradients.bptt_full.w_rec.*',
      'gradients.bptt_reset_detached.w_in.*',
      'total_learning_signal.*',
      'total_learning_signal_reset_detached.*',
      'cumulative_eprop_symmetric_w_rec_at_t.34.*',
      'params.thr',
    ],
  },
  {
    name: 'eprop-graph-small.json',
    given: ['sizes', 'steps', 'batch', 'populations', 'projections', 'readouts'],
    // The file has a row of zeros for what a neuron of another kind would have.
    unchecked: ['states.layer.a', 'states.layer.I', 'states.exc.I', 'states.inh.a'],
    spikes: /^states\.\w+\.z$/,
    spoil: [
      'states.layer.v.*',
      'states.exc.z.*',
      'states.exc.psi.*',
      'states.exc.a.*',
      'states.inh.I.*',
      'states.inh.v.*',
      'y.y.*',
      'y.label.*',
      'loss',
      'learning_signal_symmetric.exc.y.*',
      'learning_signal_symmetric.inh.label.*',
      'learning_signal_random.layer.label.*',
      'gradients.eprop_symmetric.projections.layer-inh.*',
      'gradients.eprop_symmetric.projections.inh-exc.*',
      'gradients.eprop_symmetric.bias.exc.*',
      'gradients.eprop_random.projections.input-layer.*',
      'gradients.eprop_random.bias.layer.*',
      'gradients.bptt_reset_detached.projections.exc-inh.*',
      'gradients.bptt_full.projections.input-layer.*',
      'gradients.bptt_full.projections.exc-exc.*',
      'gradients.bptt_full.readouts.label.inh.*',
      'gradients.bptt_full.readout_bias.y.*',
      'projections.4.w.*',
      'readouts.label.weight',
      'readouts.y.kappa',
      'populations.inh.sigma.*',
    ],
  },
  {
    name: 'eprop-delays-small.json',
    given: ['delay_in', 'delay_rec', 'synapses_input', 'synapses_recurrent'],
    unchecked: [],
    spikes: /^z$/,
    spoil: [
      'v.*',
      'a.*',
      'threshold.*',
      'psi.*',
      'z.*',
      'y.*',
      'refractory_before.*',
      'loss',
      'traces_input.epsv.*',
      'traces_input.epsa.*',
      'traces_input.e.*',
      'traces_input.ebar.*',
      'traces_recurrent.epsv.*',
      'traces_recurrent.epsa.*',
      'traces_recurrent.e.*',
      'traces_recurrent.ebar.*',
      'learning_signal_symmetric.*',
      'learning_signal_random.*',
      'total_learning_signal.*',
      'gradients.eprop_symmetric.w_in.*',
      'gradients.eprop_random.w_rec.*',
      'gradients.eprop_symmetric_reset_in_trace.w_rec.*',
      'gradients.bptt_full.w_rec.*',
      'gradients.bptt_full.w_out.*',
      'gradients.bptt_reset_detached.w_in.*',
      'w_rec.*',
      'params.rho',
    ],
  },
  {
    name: 'eprop-reward-small.json',
    given: [
      'w_pi',
      'w_v',
      'b_pi',
      'b_v',
      'feedback_pi',
      'feedback_v',

      'action',
      'reward',
      'synapses_input',
      'synapses_recurrent',
      'params.action_steps',
    ],
    unchecked: [],
    spikes: /^z$/,
    spoil: [
      'v.*',
      'a.*',
      'psi.*',
      'z.*',
      'logits.*',
      'pi.*',
      'value.*',
      'delta.*',
      'return.*',
      'learning_signal_symmetric.*',
      'learning_signal_random.*',
      'ebar_input.*',
      'ebar_recurrent.*',
      'F_input.*',
      'F_recurrent.*',
      'F_pi.*',
      'F_v.*',
      'updates.symmetric.w_rec.*',
      'updates.random.w_in.*',
      'updates.random.b_pi.*',
      'cumulative_symmetric_at_t.19.w_in.*',
      'advantage_form_symmetric.w_rec.*',
      'online.weights_after.w_rec.*',
      'online.value.*',
      'online.delta.*',
      'reward.*',
      'params.discount',
      'params.c_v',
    ],
  },
  {
    name: 'deep-r-small.json',
    given: ['sign', 'theta_start', 'gradient', 'noise', 'order'],
    unchecked: [],
    spikes: /^(params|disconnected|reconnected|active)/,
    spoil: [
      'steps.0.theta.*',
      'steps.7.theta.*',
      'w_after.*',
      'steps.5.active',
      'steps.3.disconnected.*',
      'steps.4.reconnected.*',
      'steps.2.gradient.0.7',
      'steps.6.noise.0.7',
      'theta_start.*',
      'sign.0.7',
      'params.eta',
      'params.l1',
      'params.temperature',
      'params.target',
    ],
  },
  {
    name: 'presynaptic-scaling-small.json',
    given: ['goal', 'w_start', 'spikes'],
    unchecked: [],
    spikes: /^$/,
    spoil: [
      'after.0.average.*',
      'after.7.average.*',
      'after.5.w.*',
      'after.11.w.*',
      'after.11.w_scaling_without_presynaptic_factor.*',
      'goal.10',
      'w_start.*',
      'params.alpha_a',
      'params.alpha_w',
      'params.w_max',
    ],
  },
  {
    name: 'eprop-2-small.json',
    given: ['e_in', 'e_rec', 'projection', 'code', 'synapses_input', 'synapses_recurrent'],
    unchecked: [],
    spikes: /^(training|error|test)\.z$/,
    spoil: [
      ...['v', 'psi', 'y'].map((name) => `training.${name}.*`),
      'training.z.0.12.5',
      'error.v.*',
      'error.z.1.11.0',
      'learning_signal.*',
      'e_input.*',
      'e_recurrent.*',
      'updated.w_in.*',
      'updated.w_rec.*',
      'test.v.*',
      'test.y.*',
      'test.z.1.12.5',
      'loss_training',
      'loss',
      'signal_gradient.*',
      ...['full', 'first_order'].flatMap((kind) =>
        ['w_in', 'w_rec', 'w_out', 'e_in', 'e_rec', 'projection'].map((name) => `outer_gradients.${kind}.${name}.*`),
      ),
      'e_in.*',
      'e_rec.*',
      'projection.*',
      'code.0.11.1',
      'params.eta_inner',
      'params.error.kappa',
      'params.network.alpha',
      'params.network.gamma',
    ],
  },
  {
    name: 'eprop-3-small.json',
    given: ['psi_map', 'psi_z_map', 'synapses_recurrent'],
    unchecked: [],
    spikes: /^(window_updates\.)?z$|^borders$/,
    spoil: [
      ...['v', 'a', 'psi', 'y', 'features', 'e_recurrent', 'total_learning_signal', 'true_border_credit'].map(
        (name) => `${name}.*`,
      ),
      'borders.1.0',
      'scenarios.zero.L.*',
      'scenarios.zero.gradients.w_rec.*',
      'scenarios.zero.truncated_bptt.w_in.*',
      'scenarios.perfect.gradients.w_rec.*',
      ...['psi', 'psi_z'].flatMap((name) => [`scenarios.${name}.L.*`, `scenarios.${name}.gradients.w_in.*`]),
      'scenarios.psi.dni.w_rec.*',
      ...['psi', 'psi_z', 'learning', 'learning_z'].flatMap((name) => [
        `scenarios.${name}.windows.1.predicted.*`,
        `scenarios.${name}.windows.2.target_for_previous_border.*`,
        `scenarios.${name}.windows.3.synthetic_loss`,
      ]),
      'scenarios.learning.psi_after.*',
      'scenarios.learning_z.psi_z_after.*',
      'scenarios.learning.gradients.w_rec.*',
      'scenarios.learning_z.gradients.w_rec.*',
      ...['y', 'L', 'w_in', 'w_rec', 'w_out', 'psi_after'].map((name) => `window_updates.${name}.*`),
      'window_updates.z.0.0.2',
      'window_updates.eta_w',
      'gradients.bptt_full.w_rec.*',
      'psi_map.*',
      'psi_z_map.*',
      'params.eta_psi',
      'params.beta.7',
      'params.alpha',
    ],
  },
  {
    name: 'perturbation-small.json',
    given: [
      ...['params', 'w_in', 'w_rec', 'w_out', 'x', 'target'].flatMap((name) => [`spiking.${name}`, `rate.${name}`]),
      'rate.h0',
      ...['noise', 'kind', 'trial'].flatMap((name) => [
        `spiking.presentations.*.${name}`,
        `rate.presentations.*.${name}`,
      ]),
    ],
    unchecked: [],
    spikes: /spikes_perturbed$/,
    spoil: [
      ...[0, 1].flatMap((k) => [
        `spiking.presentations.${k}.loss_0`,
        `spiking.presentations.${k}.loss_perturbed`,
        `spiking.presentations.${k}.spikes_perturbed`,
        `spiking.presentations.${k}.update.w_rec.*`,
        `spiking.presentations.${k}.sequential.loss_perturbed`,
        `rate.presentations.${k}.update.w_out.*`,
        `rate.presentations.${k}.noise.*`,
      ]),
      'spiking.presentations.1.eligibility.w_in.*',
      'spiking.presentations.1.noise.output.*',
      'spiking.presentations.2.sequential.loss_0',
      'spiking.sequential_weights_after.w_out.*',
      ...['loss_0', 'h.*', 'y.*', 'gradient.w_rec.*', 'h0.*', 'params.tau'].map((name) => `rate.${name}`),
      'spiking.params.sigma_weight',
      'spiking.params.eta',
    ],
  },
  {
    name: 'contrastive-small.json',
    given: ['w', 'input', ...['params', 'w_in', 'w_rec', 'x', 'teacher'].map((name) => `spiking.${name}`)],
    unchecked: [],
    spikes: /\.z$/,
    spoil: [
      ...['free', 'nudged', 'clamped', 'energy_free', 'energy_clamped', 'contrast_clamped'].map(
        (name) => `patterns.1.${name}${name.includes('_') ? '' : '.*'}`,
      ),
      ...['nudged', 'clamped', 'bias_nudged', 'bias_clamped'].map((name) => `update.${name}.*`),
      'exact_gradient.2.*',
      'spiking.free.zbar.*',
      'spiking.taught.zbar.*',
      'spiking.taught.z.*',
      'spiking.update.*',
      'spiking.params.eta',
      'params.beta',
      'w.*',
    ],
  },
  {
    name: 'eprop-nest-pattern-generation.json',
    unchecked: [],
    spikes: /^$/,
    spoil: [
      'loss_own.3',
      'loss_nest.4',
      'gradient_norms_w_in_w_rec_w_out.0.0',
      'mean_rate_hz.1',
      'params.optimizer.eta',
    ],
  },
  {
    name: 'nest-eprop-small.json',
    unchecked: [],
    spikes: /\.spike_times$/,
    spoil: [
      'cases.mse_gd.result.v_rec.*',
      'cases.mse_gd.result.psi_rec.*',
      'cases.ce_adam.result.threshold_alif.*',
      'cases.ce_adam.result.adaptation_alif.*',
      'cases.ce_adam.result.error.*',
      'cases.ce_adam.result.readout.*',
      'cases.mse_gd_batch2_zeta.result.v_out.*',
      'cases.mse_gd_batch2_zeta.result.loss.*',
      'cases.mse_gd.result.spike_times.*',
      'cases.mse_gd.result.weights_after.0.W_in.*',
      'cases.mse_gd_batch2_zeta.result.weights_after.3.W_rec.*',
      'cases.ce_adam.result.weights_after.3.W_out.*',
      'cases.mse_gd.spec.optimizer.eta',
    ],
  },
  {
    name: 'rate-rules-small.json',
    given: ['weights', 'y', 'hyper'],
    unchecked: [],
    spikes: /^$/,
    spoil: [
      ...['q', 'rec_grads', 'sg_target', 'A_error', 'A', 'A_target_net', 'sg_used'].map(
        (name) => `scenarios.frozen_alpha_1.steps.6.algs.DNI_exactJ.${name}.*`,
      ),
      ...['A_loss', 'i_fix', 'J_loss'].map((name) => `scenarios.frozen_alpha_0\\.5.steps.5.algs.DNI_approxJ.${name}`),
      ...['J', 'J_error'].map((name) => `scenarios.sgd0\\.1_alpha_0\\.5_DNI_seed.steps.7.algs.DNI_seed.${name}.*`),
      'scenarios.sgd0\\.1_alpha_0\\.5_DNI_seed.steps.7.params_after.W_rec.*',
      'scenarios.frozen_alpha_1.steps.6.h.*',
      'scenarios.frozen_alpha_1.steps.6.a.*',
      'scenarios.frozen_alpha_0\\.5.steps.6.z.*',
      'scenarios.frozen_alpha_0\\.5.steps.6.y_hat.*',
      'scenarios.frozen_alpha_0\\.5.steps.11.loss',
      'scenarios.frozen_alpha_0\\.5.steps.11.error.*',
      'scenarios.frozen_alpha_0\\.5.steps.11.outer_grads.*',
      'scenarios.frozen_alpha_1.steps.5.algs.RTRL.q.*',
      'scenarios.frozen_alpha_1.steps.5.algs.RTRL.rec_grads.*',
      'scenarios.frozen_alpha_0\\.5.steps.5.algs.RTRL_WFB.q.*',
      'scenarios.frozen_alpha_0\\.5.steps.5.algs.RTRL_WFB.rec_grads.*',
      'scenarios.frozen_alpha_0\\.5.steps.11.algs.RFLO.rec_grads.*',
      'scenarios.frozen_alpha_0\\.5.steps.3.algs.RFLO.B.*',
      'scenarios.frozen_alpha_0\\.5.steps.11.algs.RFLO_WFB.rec_grads.*',
      'scenarios.frozen_alpha_0\\.5.steps.11.algs.E_BPTT_T12.rec_grads.*',
      'scenarios.frozen_alpha_1.steps.7.algs.F_BPTT_T4.rec_grads.*',
      'scenarios.frozen_alpha_0\\.5.steps.3.algs.F_BPTT_T4.rec_grads.*',
      'scenarios.frozen_alpha_1.RTRL_final_influence.*',
      'scenarios.frozen_alpha_0\\.5.finite_difference_total_grad.*',
      'scenarios.sgd0\\.1_alpha_0\\.5_RTRL.steps.4.params_after.W_rec.*',
      'scenarios.sgd0\\.1_alpha_0\\.5_RTRL.steps.11.params_after.b_rec.*',
      'scenarios.sgd0\\.1_alpha_0\\.5_RTRL.RTRL_final_influence.*',
      'scenarios.sgd0\\.1_alpha_0\\.5_RFLO_WFB.steps.11.params_after.W_in.*',
      'scenarios.sgd0\\.1_alpha_0\\.5_RFLO_WFB.steps.11.params_after.W_out.*',
      'scenarios.sgd0\\.1_alpha_0\\.5_RFLO_WFB.steps.11.params_after.b_out.*',
      'scenarios.sgd0\\.1_alpha_0\\.5_RTRL.lr',
      'scenarios.frozen_alpha_0\\.5.alpha',
      'weights.W_in.*',
      'weights.W_rec.*',
      'weights.W_out.*',
      'weights.W_FB.*',
      'weights.b_rec.*',
      'weights.b_out.*',
    ],
  },
  {
    name: 'rflo-small.json',
    given: ['weights', 'y_target', 'h0'],
    unchecked: [
      'rflo_steps.q_code',
      'rflo_steps.dw_in_code',
      'rflo_offline.dw_in',
      'rflo_online',
      'rtrl_offline',
      'bptt_offline',
    ],
    spikes: /^$/,
    spoil: [
      'forward.u.*',
      'forward.h.*',
      'forward.y.*',
      'forward.err.*',
      'forward.loss_0\\.5_mean_err2',
      'rflo_steps.8.err.*',
      'rflo_steps.8.learning_signal_B_err.*',
      'rflo_steps.9.p.*',
      'rflo_steps.3.q_corrected.*',
      'rflo_steps.7.dw_rec.*',
      'rflo_steps.7.dw_in_corrected.*',
      'rflo_steps.8.dw_out.*',
      'rflo_offline.dw_rec.*',
      'rflo_offline.dw_out.*',
      'exact_minus_eta_gradient.dw_in.*',
      'exact_minus_eta_gradient.dw_rec.*',
      'exact_minus_eta_gradient.dw_out.*',
      'meta.eta.w_in',
      'meta.dims.tau_m',
      'weights.w_rec.*',
      'weights.b.*',
      'h0.2',
      'x.3.1',
      'y_target.5.0',
    ],
  },
  {
    name: 'kernl-small.json',
    given: ['W_in', 'W_rec', 'b_rec', 'W_out', 'b_out', 'y', 'zeta', 'A_start', 'alpha_start'],
    unchecked: [],
    spikes: /^$/,
    spoil: [
      ...['code', 'aligned', 'fixed_A_identity_alpha_leak'].flatMap((scenario) => [
        ...['a', 'twin', 'omega', 'gamma', 'q'].map((name) => `scenarios.${scenario}.steps.9.${name}.3`),
        `scenarios.${scenario}.steps.11.noise_loss`,
        ...['A', 'alpha', 'B', 'gradient'].map((name) => `scenarios.${scenario}.steps.23.${name}.*`),
        `scenarios.${scenario}.gradient_sum.*`,
      ]),
      ...['W_in', 'W_rec', 'b_rec', 'W_out', 'A_start', 'alpha_start', 'x'].map((name) => `${name}.*`),
      'y.4.0',
      'zeta.5.2',
      'zeta.24.*',
      'params.lr',
    ],
  },
  {
    name: 'rflo-augmented-small.json',
    given: ['n_units', 'eta', 'sequence', 'feedback', 'h0', 'segment_targets'],
    unchecked: [],
    spikes: /^recall\.(units|drives \()/,
    spoil: [
      ...['h', 'y', 'error', 'feedback', 'segment_targets', 'w_in', 'w_rec', 'w_out', 'h0'].map((name) => `${name}.*`),
      ...['random', 'symmetric'].flatMap((feedback) =>
        ['w_in', 'w_rec', 'w_out'].map((name) => `updates.${feedback}.${name}.*`),
      ),
      'loop_after_pass.0.M.*',
      'loop_after_pass.2.M.*',
      'loop_after_pass.1.K.*',
      'recall.units.20',
      'recall.drives.1.1',
      'recall.y.*',
      ...['tau', 'lambda', 'eta_M', 'eta_K', 'c_h', 'eta.w_in', 'eta.w_rec', 'eta.w_out'].map(
        (name) => `params.${name}`,
      ),
    ],
  },
  {
    name: 'loihi-lif-small.json',
    given: [
      ...[
        'T',
        'N',
        'M',
        'du',
        'dv',
        'vth',
        'bias_mant',
        'bias_exp',
        'w_in',
        'weight_exp_in',
        'w_rec',
        'weight_exp_rec',
      ],
      ...['num_weight_bits', 'input_spikes', 'name', 'note', 'same_as', 'refract_delay'],
    ],
    unchecked: [],
    spikes: /./,
    spoil: [
      'cases.0.u.119.5',
      'cases.0.v.*',
      'cases.0.s.*',
      'cases.2.u.*',
      'cases.3.u.*',
      'cases.4.v.*',
      'cases.5.v.*',
      'cases.6.u.*',
      'cases.7.v.*',
      'cases.8.u.10.0',
      'nengo_cases.0.v.*',
      'nengo_cases.0.s.*',
      'nengo_cases.1.u.*',
      'nengo_cases.0.refract_delay',
      'cases.0.du',
      'cases.0.dv',
      'cases.3.vth',
      'cases.1.bias_mant.3',
      'cases.1.bias_exp.3',
      'cases.1.weight_exp_in',
      'cases.2.num_weight_bits',
      'cases.4.w_in.*',
      'cases.5.w_rec.*',
      'cases.7.input_spikes.*',
    ],
  },
  {
    name: 'loihi-learning-small.json',
    given: [
      ...[
        'three_factor',
        'rule_text',
        'rule',
        'params',
        'sign_mode',
        'n_pre',
        'n_post',
        'T',
        'w0',
        'tag0',
        'pre',
        'post',
      ],
      ...['random', 'y_in', 'name', 'note'],
    ],
    unchecked: [],
    spikes: /./,
    spoil: [
      ...['x1', 'y1', 'weights'].flatMap((name) => [0, 1, 2, 3].map((c) => `cases.${c}.${name}.*`)),
      'cases.1.x2.*',
      'cases.2.y2.*',
      'cases.2.tag_1.99.2.3',
      'cases.0.params.x1_tau',
      'cases.1.params.x2_impulse',
      'cases.1.params.y1_impulse',
      'cases.1.rule.dw.2.exp',
      'cases.1.rule.dw.2.mant',
      'cases.2.rule.dt.0.exp',
      'cases.2.y_in.y1.*',
      'cases.2.y_in.y2.*',
      'cases.0.w0.*',
      'cases.0.pre.*',
      'cases.0.post.*',
      'cases.1.random.3.x_decay',
      'cases.1.random.3.syn',
    ],
  },
  {
    name: 'loihi2-atrlif-small.json',
    given: ['T', 'N', 'M', 'params', 'w_in', 'weight_exp', 'input_spikes', 'name', 'note'],
    unchecked: [],
    spikes: /./,
    spoil: [
      ...['i', 'v', 'theta', 'r', 's'].flatMap((name) => [`cases.0.${name}.*`, `cases.1.${name}.*`]),
      ...['i', 'v', 'theta', 'r'].map((name) => `cases.1.decay12.${name}`),
      'cases.0.params.theta_0',
      'cases.0.params.theta_step',
      'cases.1.params.bias_mant.2',
      'cases.1.params.bias_exp.2',
      'cases.1.weight_exp',
      'cases.1.w_in.*',
      'cases.0.input_spikes.*',
    ],
  },
];

describe.each(files)('verify $name', ({ name, given: own = [], unchecked, spikes }) => {
  const verdict = verifyFile(join(folder, name));

  it('passes', () => {
    expect(verdict.quantities.filter((q) => q.checked && !((q.worst ?? 1) <= (q.tolerance ?? 0)))).toEqual([]);
    expect(verdict.pass).toBe(true);
  });

  it('checks every quantity but those that are named here', () => {
    expect(verdict.quantities.filter((q) => !q.checked).map((q) => q.name)).toEqual(unchecked);
    const checked = verdict.quantities.filter((q) => q.checked).map((q) => q.name);
    const missed = results(read(name), [...given, ...own]).filter(
      (want) => !checked.some((got) => got === want || got.startsWith(`${want} (`)),
    );
    expect(missed.filter((want) => !unchecked.some((skipped) => want.startsWith(skipped)))).toEqual([]);
    expect(checked.length).toBeGreaterThanOrEqual(5);
  });

  it('allows no spike to differ, and nothing else more than the stated tolerances', () => {
    for (const q of verdict.quantities.filter((quantity) => quantity.checked)) {
      if (spikes.test(q.name)) expect(q.tolerance, q.name).toBe(0);
      else expect(q.tolerance, q.name).toBeLessThanOrEqual(q.name === 'loss_tensorflow' ? 1e-6 : 1e-8);
    }
  });
});

it('verifies e-prop networks on wasm, with what it has no kernel for named', () => {
  for (const name of ['eprop-alif-small.json', 'eprop-lif-softmax-small.json']) {
    const verdict = verifyFile(join(folder, name), 'wasm');
    expect(verdict.pass).toBe(true);
    for (const { name: quantity, checked, where } of verdict.quantities) {
      if (!checked) expect(where, quantity).toMatch(/this backend|reference backend|no kernel/);
    }
    expect(verdict.quantities.filter(({ checked }) => checked).length).toBeGreaterThan(15);
  }
});

describe.each(files)('verify a spoiled $name', ({ name, spoil }) => {
  const integers = name.startsWith('loihi');
  it.each(spoil)(`fails where %s is changed by ${integers ? '1' : '1e-6'}`, (path) => {
    const content = read(name);
    spoilAt(content, parts(path), integers);
    const verdict = verifyFile(write(name, JSON.stringify(content)));
    expect(verdict.pass).toBe(false);
  });
});

describe('verify refuses', () => {
  it.each([
    ['a file that is not JSON', '{"meta":', /cannot be read as JSON/],
    ['an unknown kind', '{"meta":{"kind":"tarot"}}', /unknown kind "tarot"; known are .*eprop-network/],
    ['a file without a kind', '{}', /unknown kind none/],
    ['a file that holds null', 'null', /unknown kind none/],
    ['a kind without its content', '{"meta":{"kind":"eprop-network"}}', /cannot be used as eprop-network/],
  ])('%s', (_what, text, message) => {
    const path = write('odd.json', text);
    expect(() => verifyFile(path)).toThrow(FileError);
    expect(() => verifyFile(path)).toThrow(message);
    expect(() => verifyFile(path)).toThrow(path);
  });

  it.each(['loihi-lif-small.json', 'loihi2-atrlif-small.json'])(
    '%s on a backend: it has integers of its own',
    (name) => {
      expect(() => verifyFile(join(folder, name), 'wasm')).toThrow(/backend "wasm" has no emulation of Loihi/);
    },
  );

  it.each(['rate-rules-small.json', 'rflo-small.json'])('%s on a backend that lacks one of its rules', (name) => {
    expect(() => verifyFile(join(folder, name), 'wasm')).toThrow(FileError);
    expect(() => verifyFile(join(folder, name), 'wasm')).toThrow(/backend "wasm" has no kernel for the rule "rtrl"/);
  });

  it('a file that is not there', () => {
    expect(() => verifyFile(join(folder, 'nowhere.json'))).toThrow(/nowhere\.json: does not exist/);
  });
});

function read(name: string): Json {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Json;
}

/** Blocks of a golden file that describe the network and its trials; all others are results. */
const given = ['meta', 'params', 'w_in', 'w_rec', 'w_out', 'x', 'target', 'labels', 'trials', 'order'];

/** What a file says about its own checks, and a word of explanation. */
const remarks = /smallest_distance|_maxabs$|^session_loss_note$|^learning_signal_mismatch$/;
/** Parts of a path that hold results of several trials or algorithms, and have no part in their names. */
const holders = ['cases', 'nengo_cases', 'result', 'scenarios', 'algs'];

/** Names of all results of a file: the paths of its arrays and single numbers, up to the first index. */
function results(node: Json, described: readonly string[], path: readonly string[] = []): string[] {
  const key = path[path.length - 1];
  if (path.length === 1 && (described.includes(key) || key.startsWith('feedback'))) return [];
  if (described.includes(path.map((part) => (/^\d+$/.test(part) ? '*' : part)).join('.'))) return [];
  if (path[0] === 'cases' && path[2] === 'spec') return [];
  // Cases that are listed have their names inside.
  if (path.length === 3 && holders.includes(path[0]) && described.includes(key)) return [];
  if (Array.isArray(node) && path.length === 1 && holders.includes(key)) {
    return node.flatMap((one) => results(one, described, [key, String(child(one, 'name'))]));
  }
  if (path[0] === 'scenarios' && path.length === 3 && ['alpha', 'lr'].includes(key)) return [];
  if (path[0] === 'window_updates' && ['eta_w', 'smallest_distance_to_threshold'].includes(key)) return [];
  if (path.length > 0 && (remarks.test(key) || (path[0] === 'rflo_steps' && key === 't'))) return [];
  // Every step has the same quantities, compared over all steps at once or one by one.
  if (Array.isArray(node) && (key === 'steps' || key === 'after'))
    return results(node[0], described, path.slice(0, -1));
  if (Array.isArray(node) && key === 'rflo_steps') return results(node[0], described, path);
  const listOfBlocks = Array.isArray(node) && ['weights_after', 'presentations', 'patterns'].includes(key);
  const isBlock = node !== null && typeof node === 'object' && (listOfBlocks || !Array.isArray(node));
  if (!isBlock) return [path.filter((part) => !holders.includes(part)).join('.')];
  return Object.entries(node).flatMap(([name, value]) => results(value, described, [...path, name]));
}

/** The parts of a path; a dot that belongs to a name has a backslash before it. */
function parts(path: string): string[] {
  return path.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'));
}

function write(name: string, text: string): string {
  const path = join(scratchFolder(), name);
  writeFileSync(path, text);
  return path;
}

/**
 * Changes one number by 1e-6 of itself, an integer of a chip by one; `*` stands for the largest number below. A spike (0, 1,
 * or a step) moves by one.
 */
function spoilAt(content: Json, path: readonly string[], integers = false): void {
  let node = content;
  for (let d = 0; d < path.length - 1; d++) {
    if (path[d] === '*') break;
    node = child(node, path[d]);
  }
  const last = path[path.length - 1];
  const [holder, key] = last === '*' ? largestBelow(node) : [node, last];
  const value = child(holder, key);
  if (typeof value !== 'number' || value === 0) throw new Error(`no number to spoil at ${path.join('.')}`);
  const spoiled = Number.isInteger(value) && path.includes('z') ? 1 - value : value * (1 + 1e-6);
  (holder as Record<string, Json>)[key] = path.includes('spike_times') || integers ? value - 1 : spoiled;
}

function child(node: Json, key: string): Json {
  if (node === null || typeof node !== 'object') throw new Error(`nothing at "${key}"`);
  return (node as Record<string, Json>)[key];
}

function largestBelow(node: Json): [Json, string] {
  let best: [Json, string] = [node, ''];
  let most = 0;
  const visit = (at: Json) => {
    if (at === null || typeof at !== 'object') return;
    for (const [key, value] of Object.entries(at)) {
      if (typeof value === 'number' && Math.abs(value) > most) {
        most = Math.abs(value);
        best = [at, key];
      } else visit(value);
    }
  };
  visit(node);
  return best;
}
