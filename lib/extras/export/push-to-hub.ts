// In: a model folder and a repository's name. Out: what would be sent there; and the model on the Hugging Face Hub.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRepo, HubApiError, modelInfo, uploadFiles } from '@huggingface/hub';
import { errorText } from '../../common/openai';
import { hubAddress, resolveModel } from '../../model/hub/resolve';
import { ENTRIES } from '../../model/swap';

/**
 * The files of a model that go to the Hub, its card with them, and their sizes in bytes. What else lies in its folder,
 * such as checkpoints, does not.
 *
 * @throws Error if there is no model in the folder
 */
export async function filesToPush(folder: string): Promise<{ path: string; size: number }[]> {
  await resolveModel(path.resolve(folder));
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ENTRIES.includes(name.split(path.sep)[0]) && fs.statSync(path.join(folder, name)).isFile())
    .sort()
    .map((name) => ({ path: name.replaceAll(path.sep, '/'), size: fs.statSync(path.join(folder, name)).size }));
}

/**
 * Sends a model in one commit to a repository on the Hub (HF_ENDPOINT, or https://huggingface.co), which is made if it
 * is not there. Large files that are there already are not sent again.
 *
 * @param repo `owner/name`
 * @param token of an account that may write there
 * @param isPublic whether all may read it; a repository that is there stays as it is
 * @returns the repository's address
 * @throws Error, without the token, if the Hub refuses, or if the repository is public and `isPublic` is not set
 */
export async function pushToHub(folder: string, repo: string, token: string, isPublic = false): Promise<string> {
  const access = { accessToken: token, hubUrl: hubAddress() };
  const files = await filesToPush(folder);
  try {
    await createRepo({ ...access, repo, visibility: isPublic ? 'public' : 'private' }).catch(async (error) => {
      if (!(error instanceof HubApiError) || error.statusCode !== 409) throw error; // 409: it is there
      const { private: isPrivate } = await modelInfo({ ...access, name: repo });
      if (!isPrivate && !isPublic)
        throw new Error('the repository is there and public; say --public if all may read it');
    });
    const contents = files.map((file) => ({ ...file, content: pathToFileURL(path.join(folder, file.path)) }));
    await uploadFiles({ ...access, repo, files: contents, commitTitle: 'Upload the model' });
  } catch (error) {
    throw new Error(`${access.hubUrl}/${repo} does not have the model: ${errorText(error, { apiKey: token })}`);
  }
  return `${access.hubUrl}/${repo}`;
}
