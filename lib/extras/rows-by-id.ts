// In: documents' ids and their embeddings. Out: for each id, the rows of its vectors.

import type { Embeddings } from '../common/matrix';

export function rowsById(ids: string[], { owners }: Embeddings): Map<string, number[]> {
  const rows = new Map<string, number[]>(ids.map((id) => [id, []]));
  owners.forEach((owner, row) => {
    rows.get(ids[owner])!.push(row);
  });
  return rows;
}
