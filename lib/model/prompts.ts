// In: a base model. Out: what is put before each question and each document, as the model was trained with.

/** Put before each text that is embedded; '' where nothing is. */
export interface Prompts {
  query: string;
  document: string;
}
