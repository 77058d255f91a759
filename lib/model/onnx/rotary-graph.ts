// In: how ModernBERT's layers place tokens (Su et al. 2021; Warner et al. 2024, section 2.1). Out: operators for that.
// Shapes: B sequences of S tokens, A heads of D numbers.
import type { RotaryLayer } from '../config';
import type { Graph } from './graph';
import { ELEMENT_TYPES } from './messages';

const toFloat = { to: { int: ELEMENT_TYPES.float32 } };

export interface RotaryOperators {
  /** Queries or keys, turned by their positions: [B, S, A, D] → [B, S, A, D] */
  turn: (x: string) => string;
  /** 1 where a token attends to another, else 0: [S, S]; absent where each attends to all. */
  near?: string;
}

/** Each layer's operators; those of layers that are alike are added once. `length` is S: [1], `one` the number 1. */
export function rotaryOperators(graph: Graph, rotary: RotaryLayer[], length: string, one: string): RotaryOperators[] {
  const end = graph.add('Squeeze', [graph.add('Cast', [length], toFloat)]);
  const places = graph.add('Range', [graph.scalar('first_place', 0), end, one]); // [S]
  const ofToken = graph.add('Unsqueeze', [places, graph.integers('head_and_number_axes', [1, 2])]); // [S, 1, 1]
  const ofQuery = graph.add('Unsqueeze', [places, graph.integers('key_axis', [1])]); // [S, 1]
  const half = rotary[0].frequencies.length;
  const partners = graph.integers(
    'partners',
    [...Array(2 * half).keys()].map((i) => (i + half) % (2 * half)),
  );
  const signs = graph.floats(
    'signs',
    [-1, 1].flatMap((sign) => Array(half).fill(sign)),
  );
  const kinds = [...new Set(rotary)];
  const operators = kinds.map(({ frequencies, reach }, kind): RotaryOperators => {
    const angles = graph.add('Mul', [ofToken, graph.floats(`frequencies_${kind}`, [...frequencies, ...frequencies])]);
    const cos = graph.add('Cos', [angles]); // [S, 1, D]
    const sin = graph.add('Mul', [graph.add('Sin', [angles]), signs]); // [S, 1, D]
    const turn = (x: string) => {
      const swapped = graph.add('Gather', [x, partners], { axis: { int: 3 } });
      return graph.add('Add', [graph.add('Mul', [x, cos]), graph.add('Mul', [swapped, sin])]);
    };
    if (reach === Number.POSITIVE_INFINITY) return { turn };
    const distances = graph.add('Abs', [graph.add('Sub', [ofQuery, places])]); // [S, S]
    const isNear = graph.add('LessOrEqual', [distances, graph.scalar(`reach_${kind}`, reach)]);
    return { turn, near: graph.add('Cast', [isNear], toFloat) };
  });
  return rotary.map((layer) => operators[kinds.indexOf(layer)]);
}
