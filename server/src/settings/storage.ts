/** Where media are kept. See blobs/config.ts. */
import type { Setting } from "./setting.ts";

export const storageSettings: readonly Setting[] = [
  {
    name: "STORAGE_PROVIDER",
    default: "filesystem",
    doc: "Where media are kept: filesystem, s3, minio, azure_blob or gcs.",
  },
  { name: "S3_BUCKET", doc: "With STORAGE_PROVIDER=s3: the bucket." },
  { name: "S3_REGION", doc: "Its region. By default AWS_REGION, else us-east-1." },
  { name: "S3_ENDPOINT", doc: "Another S3 than Amazon's, such as https://s3.example.org." },
  { name: "S3_ACCESS_KEY_ID", secret: true, doc: "Its access key. By default the identity of the pod or machine." },
  { name: "S3_SECRET_ACCESS_KEY", secret: true, doc: "The secret of the access key." },
  { name: "MINIO_ENDPOINT", doc: "With STORAGE_PROVIDER=minio: where MinIO is, such as http://minio:9000." },
  { name: "MINIO_BUCKET", default: "media", doc: "The bucket in MinIO." },
  { name: "MINIO_ACCESS_KEY", secret: true, doc: "The access key of MinIO." },
  { name: "MINIO_SECRET_KEY", secret: true, doc: "The secret of the access key of MinIO." },
  { name: "AZURE_STORAGE_ACCOUNT", doc: "With STORAGE_PROVIDER=azure_blob: the storage account." },
  { name: "AZURE_STORAGE_CONTAINER", default: "media", doc: "The container in the storage account." },
  {
    name: "AZURE_STORAGE_KEY",
    secret: true,
    doc: "The account's key. By default the identity of the pod or machine.",
  },
  { name: "AZURE_STORAGE_ENDPOINT", doc: "By default https://, the account, and .blob.core.windows.net." },
  { name: "GCS_BUCKET", doc: "With STORAGE_PROVIDER=gcs: the bucket." },
  {
    name: "GCS_ENDPOINT",
    default: "https://storage.googleapis.com",
    doc: "Another address of Google Cloud Storage.",
  },
];
