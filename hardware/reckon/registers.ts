/** One configuration register of the chip. `reset` is null where the chip leaves it undefined at power up. */
export interface Register {
  /** In the SPI address space. */
  readonly address: number;
  /** Its width. */
  readonly bits: number;
  /** Two's complement. */
  readonly signed: boolean;
  /** Value at power up. */
  readonly reset: number | null;
  /** What it does, in words. */
  readonly about: string;
}

const unsigned = (address: number, bits: number, reset: number | null, about: string): Register => ({
  address,
  bits,
  signed: false,
  reset,
  about,
});
const signed = (address: number, bits: number, about: string): Register => ({
  address,
  bits,
  signed: true,
  reset: null,
  about,
});

/**
 * Every register of ReckOn's SPI address space but SPI_ALPHA_CONF (65 to 68), which the image makes from ALPHA.
 * Names, addresses, widths and reset values are those of the RTL (ChFrenkel/ReckOn, commit 5e5c0be).
 */
export const registers = {
  SPI_EN_CONF: unsigned(0, 1, 1, 'control: network halted for access over SPI'),
  SPI_RO_STAGE_SEL: unsigned(1, 9, 0, 'control: clock generator, not in the released RTL'),
  SPI_GET_CLKINT_OUT: unsigned(2, 1, 0, 'control: show the clock on MISO'),
  SPI_GET_TAR_REQ_OUT: unsigned(3, 1, 1, 'control: show target requests on MISO'),
  SPI_RST_MODE: unsigned(
    8,
    1,
    0,
    'reset of a neuron that fired: 0 subtracts the threshold after the leak, 1 sets zero',
  ),
  SPI_DO_EPROP: unsigned(9, 3, 7, 'sets that learn: bit 0 input, 1 recurrent, 2 output weights'),
  SPI_LOCAL_TICK: unsigned(10, 1, 0, 'control: time ticks made on the chip'),
  SPI_ERROR_HALT: unsigned(11, 1, 1, 'control: stop at a timing error'),
  SPI_FP_LOC_WINP: unsigned(12, 3, 0, 'left shift of input weights on their way to the membrane'),
  SPI_FP_LOC_WREC: unsigned(13, 3, 0, 'left shift of recurrent weights'),
  SPI_FP_LOC_WOUT: unsigned(14, 3, 0, 'left shift of output weights'),
  SPI_FP_LOC_TINP: unsigned(15, 3, 0, 'a spike adds 8 << this to an input trace'),
  SPI_FP_LOC_TREC: unsigned(16, 3, 0, 'a spike adds 8 << this to a recurrent trace'),
  SPI_FP_LOC_TOUT: unsigned(17, 3, 0, 'a spike adds 2 << this to an output trace'),
  SPI_LEARN_SIG_SCALE: unsigned(18, 4, 0, 'left shift of the learning signal'),
  SPI_REGUL_MODE: unsigned(19, 3, 0, 'rate regularisation: bit 0 multiplicative, 1 additive, 2 at every tick'),
  SPI_REGUL_W: unsigned(20, 2, 0, 'sets that are regularised: bit 0 input, 1 recurrent weights'),
  SPI_EN_STOCH_ROUND: unsigned(21, 1, 0, 'stochastic rounding of membranes, traces and outputs'),
  SPI_SRAM_SPEEDMODE: unsigned(22, 8, 0, 'control: SRAM macros, not in the released RTL'),
  SPI_TIMING_MODE: unsigned(23, 1, 0, 'control: meaning of a pin'),
  SPI_REGRESSION: unsigned(25, 1, 0, '0 classification by label, 1 regression to a target per output'),
  SPI_SINGLE_LABEL: unsigned(26, 1, 1, 'control: one label per sample instead of one per tick'),
  SPI_NO_OUT_ACT: unsigned(27, 1, 0, '1: error against the output potential itself, without hard sigmoid'),
  SPI_SEND_PER_TIMESTEP: unsigned(30, 1, 0, 'control: outputs sent at every tick'),
  SPI_SEND_LABEL_ONLY: unsigned(31, 1, 1, 'control: what is sent'),
  SPI_NOISE_EN: unsigned(32, 1, 0, 'noise on the membranes, once per processed event'),
  SPI_FORCE_TRACES: unsigned(33, 1, 0, 'traces advance although nothing learns'),
  SPI_CYCLES_PER_TICK: unsigned(64, 32, 0, 'control: clock cycles of a local tick'),
  SPI_KAPPA: unsigned(69, 8, 0x7a, 'decay of outputs and output traces, 1.7'),
  SPI_THR_H_0: signed(70, 16, 'membrane below which the pseudo-derivative is SPI_H_0'),
  SPI_THR_H_1: signed(71, 16, 'else below which it is SPI_H_1'),
  SPI_THR_H_2: signed(72, 16, 'else below which it is SPI_H_2'),
  SPI_THR_H_3: signed(73, 16, 'else below which it is SPI_H_3, and SPI_H_4 from there on'),
  SPI_H_0: signed(74, 5, 'pseudo-derivative, lowest stair'),
  SPI_H_1: signed(75, 5, 'pseudo-derivative, second stair'),
  SPI_H_2: signed(76, 5, 'pseudo-derivative, third stair'),
  SPI_H_3: signed(77, 5, 'pseudo-derivative, fourth stair'),
  SPI_H_4: signed(78, 5, 'pseudo-derivative, highest stair'),
  SPI_LR_R_WINP: unsigned(79, 5, null, 'input weights: right shift of the update probability'),
  SPI_LR_P_WINP: unsigned(80, 5, null, 'input weights: left shift of the update probability'),
  SPI_LR_R_WREC: unsigned(81, 5, null, 'recurrent weights: right shift of the update probability'),
  SPI_LR_P_WREC: unsigned(82, 5, null, 'recurrent weights: left shift of the update probability'),
  SPI_LR_R_WOUT: unsigned(83, 5, null, 'output weights: right shift of the update probability'),
  SPI_LR_P_WOUT: unsigned(84, 5, null, 'output weights: left shift of the update probability'),
  SPI_SEED_INP: unsigned(85, 25, null, 'generator of input weight updates'),
  SPI_SEED_REC: unsigned(86, 25, null, 'generator of recurrent weight updates'),
  SPI_SEED_OUT: unsigned(87, 22, null, 'generator of output weight updates'),
  SPI_SEED_STRND_NEUR: unsigned(88, 30, null, 'rounding of membranes; low half even neurons, high half odd'),
  SPI_SEED_STRND_ONEUR: unsigned(89, 15, null, 'rounding of outputs'),
  SPI_SEED_STRND_TINP: unsigned(90, 30, null, 'rounding of input traces, even and odd'),
  SPI_SEED_STRND_TREC: unsigned(91, 30, null, 'rounding of recurrent traces, even and odd'),
  SPI_SEED_STRND_TOUT: unsigned(92, 30, null, 'rounding of output traces, even and odd'),
  SPI_SEED_NOISE_NEUR: unsigned(93, 17, null, 'generator of membrane noise'),
  SPI_NUM_INP_NEUR: unsigned(94, 8, 0xff, 'inputs - 1'),
  SPI_NUM_REC_NEUR: unsigned(95, 8, 0xff, 'recurrent neurons - 1'),
  SPI_NUM_OUT_NEUR: unsigned(96, 4, 0xf, 'outputs - 1'),
  SPI_REGUL_F0: unsigned(98, 12, null, 'recurrent trace (shifted) above which a neuron is regularised'),
  SPI_REGUL_K_INP_R: unsigned(99, 5, null, 'input weights: right shift of the additive term'),
  SPI_REGUL_K_INP_P: unsigned(100, 5, null, 'input weights: left shift of the additive term'),
  SPI_REGUL_K_REC_R: unsigned(101, 5, null, 'recurrent weights: right shift of the additive term'),
  SPI_REGUL_K_REC_P: unsigned(102, 5, null, 'recurrent weights: left shift of the additive term'),
  SPI_REGUL_K_MUL: unsigned(103, 5, null, 'right shift of the multiplicative term'),
  SPI_NOISE_STR: unsigned(104, 4, null, 'right shift of the noise'),
} as const satisfies Readonly<Record<string, Register>>;

export type RegisterName = keyof typeof registers;
export const registerNames = Object.keys(registers) as RegisterName[];

/** First of the four registers with one bit per pair of neurons: 0 for a decay 0x7..., 1 for 0x8.... */
export const alphaConfAddress = 65;

/** Smallest and largest value of a register. */
export function rangeOf({ bits, signed: isSigned }: Register): readonly [lowest: number, highest: number] {
  return isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}
