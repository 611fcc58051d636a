import { NdArray } from "@npystream/codec";
import { type BatchState, openNpz } from "@npystream/reader-stream";
import { writeNpz } from "@npystream/writer-stream";
import { SoftmaxRegression } from "./softmax-regression.ts";

/** Everything that training goes on from. */
export interface Checkpoint {
  readonly model: SoftmaxRegression;
  /** Sum of the losses of the rows of this epoch that were learnt from. */
  readonly loss: number;
  /** Where the batches stand. */
  readonly state: BatchState;
}

/**
 * Writes a checkpoint: weights and the place among the batches in one file, which is there whole or as it was before. They
 * can never be of two different moments.
 */
export async function writeCheckpoint(path: string, { model, loss, state }: Checkpoint): Promise<void> {
  const members = {
    ...model.parameters(),
    loss: NdArray.from(Float64Array.of(loss)),
    state: NdArray.from(new TextEncoder().encode(JSON.stringify(state))),
  };
  await writeNpz(path, members, { overwrite: true });
}

/** Reads what {@link writeCheckpoint} wrote. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  await using archive = await openNpz(path);
  const read = async (name: string): Promise<NdArray> => {
    await using member = await archive.open(name);
    return await member.read();
  };
  const [weights, bias] = [await read("weights"), await read("bias")];
  const model = new SoftmaxRegression({ weights: weights.astype("float64"), bias: bias.astype("float64") });
  const state = JSON.parse(new TextDecoder().decode((await read("state")).data as Uint8Array)) as BatchState;
  return { model, loss: Number((await read("loss")).get(0)), state };
}
